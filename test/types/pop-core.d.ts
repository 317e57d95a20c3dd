declare module '@alicloud/pop-core' {
  import type { Agent } from 'node:http';

  export class RPCClient {
    constructor(options: {
      endpoint: string;
      apiVersion: string;
      accessKeyId: string;
      accessKeySecret: string;
      securityToken?: string;
      opts?: { agent?: Agent };
    });
    request(
      action: string,
      parameters?: object,
      options?: { method?: 'GET' | 'POST'; formatParams?: boolean },
    ): Promise<unknown>;
  }
}
