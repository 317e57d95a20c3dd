/** The response of GenerateOTAUploadURL. */
export interface Grant {
  readonly key: string;
  readonly host: string;
  readonly policy: string;
  readonly accessKeyId: string;
  readonly signature: string;
}

const TRIES = 3;

/** The code under test: posts a file, and retries after a server error or a broken connection. */
export async function stageFirmware(grant: Grant, bytes: Uint8Array): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    try {
      const response = await fetch(grant.host, { method: 'POST', body: formOf(grant, bytes) });
      if (response.status < 500) return response.status;
      if (tries === TRIES) throw new Error(`gave up after ${tries} tries: ${response.status}`);
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}

function formOf(grant: Grant, bytes: Uint8Array): FormData {
  const form = new FormData();
  form.set('key', grant.key);
  form.set('policy', grant.policy);
  form.set('OSSAccessKeyId', grant.accessKeyId);
  form.set('signature', grant.signature);
  form.set('success_action_status', '200');
  form.set('file', new Blob([Buffer.from(bytes)]), 'firmware.bin');
  return form;
}
