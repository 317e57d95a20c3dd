import { hasErrorCode } from '../lib/errno.ts';
import { CommandError } from './command-error.ts';

const UNKNOWN_CERTIFICATE = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

/** What went wrong on the way to an address, and what to do, by the codes of the system, of Node and of OpenSSL. */
const EXPLANATIONS: readonly {
  readonly codes: readonly string[];
  readonly problem: string;
  readonly advice: string;
}[] = [
  {
    codes: ['ECONNREFUSED'],
    problem: 'nothing listens there',
    advice: 'Start the gateway with `ota-gateway serve`, or give its address',
  },
  {
    codes: ['ENOTFOUND', 'EAI_AGAIN'],
    problem: 'this machine does not know the host',
    advice: 'Check the name, or give the address as a number',
  },
  {
    codes: ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'],
    problem: 'the host does not answer',
    advice: 'Check the network and the firewalls between this machine and the gateway',
  },
  {
    codes: ['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'],
    problem: 'the port does not speak TLS',
    advice: 'Give an address that begins with http://',
  },
  {
    codes: UNKNOWN_CERTIFICATE,
    problem: 'its certificate is not signed by an authority that this machine trusts',
    advice: 'Set NODE_EXTRA_CA_CERTS to the file with the certificate of its authority',
  },
  {
    codes: ['CERT_HAS_EXPIRED'],
    problem: 'its certificate has expired',
    advice: 'Renew the certificate of the gateway; check the clock of this machine',
  },
  {
    codes: ['ERR_TLS_CERT_ALTNAME_INVALID'],
    problem: 'its certificate is for other names',
    advice: 'Give the address with a name that is in the certificate',
  },
  {
    codes: ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'],
    problem: 'the connection was closed before the whole response',
    advice: 'Look into the log of the gateway, and check that this is its address',
  },
];

/**
 * Explains why a request got no response.
 * @returns undefined for an error of another kind
 */
function explainNetworkFailure(error: unknown, url: string): CommandError | undefined {
  const reasons = reasonsOf(error);
  for (const reason of reasons) {
    const found = EXPLANATIONS.find(({ codes }) =>
      codes.some((code) => hasErrorCode(reason, code)),
    );
    if (found !== undefined) return unreachable(url, found.problem, found.advice, error);
  }
  if (reasons.some(({ message }) => message === BLOCKED)) {
    const problem = `\`fetch\` refuses to use port ${new URL(url).port}, as browsers do`;
    return unreachable(url, problem, OTHER_PORT, error);
  }
  const [first, second] = reasons;
  return first?.message === FETCH_FAILED && second !== undefined
    ? unreachable(url, second.message, undefined, error)
    : undefined;
}

function unreachable(
  url: string,
  problem: string,
  advice: string | undefined,
  cause: unknown,
): CommandError {
  const message = `${url} cannot be reached: ${problem}`;
  return new CommandError('Unreachable', message, advice, { cause });
}

const FETCH_FAILED = 'fetch failed';

/** Has no code (WHATWG Fetch, "port blocking"). */
const BLOCKED = 'bad port';
const OTHER_PORT =
  'Let the gateway listen on another one, such as 9070. Blocked are most ports below 1024 that belong to a protocol, and ' +
  '1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665 to 6669, 6679, 6697 and 10080';

/** @returns an error and those inside it, where `fetch` and a connection to several addresses keep the reason */
function reasonsOf(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const inner: unknown[] = error instanceof AggregateError ? error.errors : [];
  return [error, ...[error.cause, ...inner].flatMap(reasonsOf)];
}

/** Runs a request. @throws CommandError that says why there was no response */
export async function reach<T>(url: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw explainNetworkFailure(error, url) ?? error;
  }
}
