declare module '@alicloud/pop-core' {
  export class RPCClient {
    constructor(options: {
      endpoint: string;
      apiVersion: string;
      accessKeyId: string;
      accessKeySecret: string;
      securityToken?: string;
    });
    request(
      action: string,
      parameters?: object,
      options?: { method?: 'GET' | 'POST'; formatParams?: boolean },
    ): Promise<unknown>;
  }
}
