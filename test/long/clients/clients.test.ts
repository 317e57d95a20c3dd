import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { queryDownloadUrl } from '../../../src/client/api-client.ts';
import { startBuiltGateway } from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { apiOf, claim, grantFrom, post } from '../../support/loop.ts';
import { describeWith } from '../../support/programs.ts';
import { gatewayForSuite } from '../../support/suite.ts';
import { BODIES, EXPANDED_NAMES, fileNamed, LARGE, LINE_BREAK, NAMES } from './cases.ts';
import type { FileCase } from './cases.ts';
import { runClient } from './client-run.ts';
import type { ClientRun } from './client-run.ts';
import { arrivingName, CLIENTS } from './clients.ts';
import { readBack, writeFiles } from './uploads.ts';

// Real clients, unchanged, each with its own multipart writer: see clients.ts.

jest.setTimeout(60_000);

/** How closely the gateway follows OSS where OSS refuses forms that other servers accept. */
interface Mode {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly isStrict: boolean;
}

const MODES: readonly Mode[] = [
  { name: 'the default mode', environment: {}, isStrict: false },
  {
    name: 'the strict mode',
    environment: { OTA_GATEWAY_FIDELITY: 'strict' },
    isStrict: true,
  },
];

const FIRMWARE = patternBytes(3_000_001);
const NAMED = NAMES.map((name) => fileNamed(name));
const EXPANDED = EXPANDED_NAMES.map((name) => fileNamed(name));

describe.each(MODES)('in $name', ({ environment, isStrict }) => {
  const gateway = gatewayForSuite((folder) => startBuiltGateway(join(folder, 'data'), environment));
  let downloadUrl: string;

  beforeAll(async () => {
    await writeFiles(gateway.folder, [...BODIES, ...NAMED, ...EXPANDED]);
    const grant = await grantFrom(gateway.url);
    expect(await post(grant, FIRMWARE)).toMatchObject({ status: 200 });
    const firmwareId = await claim(gateway.url, grant, 'firmware');
    downloadUrl = await queryDownloadUrl(apiOf(gateway.url), { FirmwareId: firmwareId });
  });

  it('answers a form that was posted to the path of the bucket', async () => {
    const grant = await grantFrom(gateway.url);
    const response = await post({ ...grant, host: `${grant.host}/iotx-ota/` }, FIRMWARE);
    expect(response).toMatchObject(
      isStrict
        ? { status: 403, body: codeIn('SecondLevelDomainForbidden') }
        : { status: 200, body: '' },
    );
  });

  describe.each(CLIENTS)('$name', (client) => {
    describeWith(client.needs, 'with its own forms', () => {
      const bodies = BODIES.filter(({ how }) => how !== 'stream' || client.streams);
      const expanded = EXPANDED.filter(
        ({ filename }) => arrivingName(client.nameStyle, filename) !== undefined,
      );
      const expectedCode = (file: FileCase): string => (isStrict ? client.strict(file) : 'stored');
      let run: ClientRun;

      beforeAll(async () => {
        run = await runClient(client, gateway, {
          files: [...bodies, ...NAMED],
          expanded,
          // Large, because a refusal may arrive while the client still sends.
          refused: LARGE,
          download: { url: downloadUrl, bytes: FIRMWARE },
        });
      });

      async function expectResult(file: FileCase): Promise<void> {
        const { job, key } = run.uploadOf(file);
        const outcome = run.outcomeOf(job);
        const found = await readBack(gateway.url, key);
        const code = expectedCode(file);
        if (file.filename === LINE_BREAK && !client.postsLineBreaks) {
          expect(outcome).toEqual({ error: expect.any(String) });
        } else if (code === 'stored') {
          expect(outcome).toEqual({ status: 200, body: '' });
          expect(Buffer.isBuffer(found) && found.equals(file.bytes)).toBe(true);
        } else {
          expect(outcome).toEqual({ status: 400, body: codeIn(code) });
          expect(found).toBe(404);
        }
      }

      it.each(bodies)('posts $what', expectResult);

      it.each(NAMED)('posts a file called $what', expectResult);

      it.each(expanded)('posts a file called $what to a key that ends in its name', expectResult);

      it('shows why a form is refused', async () => {
        const code = expectedCode(LARGE);
        expect(run.outcomeOf(run.refused.job)).toEqual(
          code === 'stored'
            ? { status: 403, body: codeIn('SignatureDoesNotMatch') }
            : { status: 400, body: codeIn(code) },
        );
        expect(await readBack(gateway.url, run.refused.key)).toBe(404);
      });

      it('downloads a file by its signed URL, also from the middle', async () => {
        expect(run.outcomeOf(run.whole)).toEqual({ status: 200, body: '' });
        expect(run.outcomeOf(run.resumed)).toEqual({ status: 206, body: '' });
        for (const { out } of [run.whole, run.resumed]) {
          expect((await readFile(out)).equals(FIRMWARE)).toBe(true);
        }
      });
    });
  });
});

/** Matches a complete error of OSS. */
function codeIn(code: string): unknown {
  return expect.stringMatching(new RegExp(`^<\\?xml[^]*<Code>${code}</Code>[^]*</Error>\\s*$`));
}
