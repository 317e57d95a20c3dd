import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

/** How a client gets its file: from the disk, as a text without a file name, or from a pipe of unknown length. */
export type FileSource = 'file' | 'noname' | 'stream';

/** Posts a form whose last part is the file. */
export interface PostJob {
  readonly act: 'post';
  readonly url: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Path of the file. */
  readonly path: string;
  /** File name to write into the form, which may differ from the name on disk. */
  readonly filename: string;
  readonly how: FileSource;
}

/** Downloads a URL, and appends the bytes to a file. */
export interface GetJob {
  readonly act: 'get';
  readonly url: string;
  readonly out: string;
  /** Bytes that the file already has; the client asks for the rest with a range. */
  readonly from: number;
}

export type Job = PostJob | GetJob;

/** What a client reports about a job: the response as it shows it to its user, or why there is none. */
export type Outcome =
  { readonly status: number; readonly body: string } | { readonly error: string };

/** Runs all jobs, one after another. @param folder - for temporary files */
export type RunJobs = (jobs: readonly Job[], folder: string) => Promise<readonly Outcome[]>;

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const TIME_LIMIT_MS = 60_000;
const outcomes = z.array(
  z.union([z.object({ status: z.number(), body: z.string() }), z.object({ error: z.string() })]),
);

/**
 * Runs all jobs in one process, because a JVM starts slowly.
 * @param command - the driver and its arguments; the path of a JSON file with the jobs is added
 */
export function inOneProcess(program: string, ...command: readonly string[]): RunJobs {
  return async (jobs, folder) => {
    const path = join(folder, 'jobs.json');
    await writeFile(path, JSON.stringify(jobs));
    const { stdout } = await run(program, [...command, path], {
      maxBuffer: MAX_OUTPUT_BYTES,
      timeout: TIME_LIMIT_MS,
    });
    return outcomes.parse(JSON.parse(stdout));
  };
}

/** Runs curl once for each job. */
export const withCurl: RunJobs = async (jobs) => {
  const results: Outcome[] = [];
  for (const job of jobs) results.push(await curlOnce(job));
  return results;
};

async function curlOnce(job: Job): Promise<Outcome> {
  const args = job.act === 'post' ? postArguments(job) : ['-C', '-', '-o', job.out];
  const running = run('curl', ['-sS', '-w', '\n%{http_code}', ...args, job.url]);
  if (job.act === 'post' && job.how === 'stream' && running.child.stdin !== null) {
    createReadStream(job.path).pipe(running.child.stdin);
  }
  try {
    const { stdout } = await running;
    const end = stdout.lastIndexOf('\n');
    return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
  } catch (error) {
    return { error: String(error) };
  }
}

function postArguments({ fields, filename, how, path }: PostJob): string[] {
  // The syntax of -F; what curl then writes into the form is its own decision.
  const quoted = filename.replace(/[\\"]/g, '\\$&');
  const files = {
    file: ['-F', `file=@${path};filename="${quoted}"`],
    noname: ['-F', `file=<${path}`],
    // Without this header curl first reads all of a pipe into memory.
    stream: ['-H', 'Transfer-Encoding: chunked', '-F', `file=@-;filename="${quoted}"`],
  };
  return [
    ...fields.flatMap(([name, value]) => ['--form-string', `${name}=${value}`]),
    ...files[how],
  ];
}
