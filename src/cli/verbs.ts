import type { Command } from 'commander';

/** A command of `ota-gateway`. */
export interface Verb {
  /** Its name and arguments, as the help shows them. */
  readonly usage: string;
  readonly description: string;
  /** Lines to type, before its flags. */
  readonly examples: readonly string[];
  /** Programs call it; the help does not list it. */
  readonly hidden?: boolean;
  /** Changes something, so it goes on to its end when its output cannot be written. */
  readonly changes?: boolean;
  /** Loads its flags. Its action loads the rest when it runs: no help must wait for that. */
  readonly load: () => Promise<VerbModule>;
}

/** What carries out a command. */
export interface VerbModule {
  /** Adds its flags, its examples, and what it does. */
  readonly configure: (command: Command) => void;
  /** Lists what its arguments may be, for a shell that completes them. */
  readonly complete?: (typed: TypedWords) => Promise<readonly string[]>;
}

/** What a user has typed of a command before asking the shell to complete it. */
export interface TypedWords {
  /** The name of the argument to complete, as in the usage of the command. */
  readonly argument: string;
  /** The beginning of the argument to complete. */
  readonly word: string;
  /** The values of the flags so far, by setting name. */
  readonly flags: Readonly<Record<string, string>>;
}

/** The commands, in the order of the help. */
export const VERBS: readonly Verb[] = [
  {
    usage: 'serve',
    description: 'run the gateway',
    examples: [
      'ota-gateway serve',
      'ota-gateway serve --data-dir /var/lib/ota --port 9070 --host 0.0.0.0',
      'ota-gateway serve --test-mode --port 0 --ready-file ready.json',
    ],
    load: () => import('./commands/serve.ts'),
  },
  {
    usage: 'show-config',
    description: 'print the effective settings, secrets masked',
    examples: ['ota-gateway show-config', 'OTA_GATEWAY_CLAIM_TTL=5m ota-gateway show-config'],
    load: () => import('./commands/show-config.ts'),
  },
  {
    usage: 'upload <files...>',
    description: 'upload files to a running gateway and make a firmware package of them',
    examples: [
      'ota-gateway upload firmware.bin --name lamp --version 1.0.0',
      'ota-gateway upload app.bin model.zip --name lamp --version 1.0.1',
      'ota-gateway upload *.bin --each --name lamp --version 1.0.1 --endpoint https://ota.example.com',
    ],
    changes: true,
    load: () => import('./commands/upload.ts'),
  },
  {
    usage: 'sign',
    description: 'sign a form that uploads one file',
    examples: [
      'ota-gateway sign --suffix zip',
      'ota-gateway sign --curl firmware.bin',
      'ota-gateway sign --endpoint https://ota.example.com | jq -r .firmwareUrl',
    ],
    load: () => import('./commands/sign.ts'),
  },
  {
    usage: 'claim <uploads...>',
    description: 'make a firmware package of files that were uploaded before',
    examples: [
      'ota-gateway claim ota/5915.bin --name lamp --version 1.0.0',
      'ota-gateway claim http://127.0.0.1:9070/ota/5915.bin --name lamp --version 1.0.0',
    ],
    changes: true,
    load: () => import('./commands/claim.ts'),
  },
  {
    usage: 'ls [what]',
    description: 'list uploads, firmware packages or refused requests, the newest first',
    examples: [
      'ota-gateway ls',
      'ota-gateway ls --state stored --due 5m',
      "ota-gateway ls packages --json | jq -r '.items[].firmwareId'",
    ],
    load: () => import('./commands/ls.ts'),
  },
  {
    usage: 'show <name>',
    description: 'show everything about one upload or firmware package',
    examples: [
      'ota-gateway show ota/5915.bin',
      'ota-gateway show lamp --json',
      'ota-gateway show http://127.0.0.1:9070/ota/5915.bin',
    ],
    load: () => import('./commands/show.ts'),
  },
  {
    usage: 'explain [name]',
    description: 'tell why a request was refused, and what to do',
    examples: [
      'ota-gateway explain',
      'ota-gateway explain 0F87FFBB2E0A838FA174F1E5',
      'ota-gateway explain ota/5915.bin',
    ],
    load: () => import('./commands/explain.ts'),
  },
  {
    usage: 'rm <names...>',
    description: 'delete uploads that no package holds, or packages with their files',
    examples: [
      'ota-gateway rm ota/5915.bin',
      'ota-gateway rm FIRMWARE_ID --yes',
      'ota-gateway rm lamp --yes --endpoint https://ota.example.com',
    ],
    changes: true,
    load: () => import('./commands/rm.ts'),
  },
  {
    usage: 'purge',
    description: 'purge now what is due, as the job of the gateway does',
    examples: ['ota-gateway purge --dry-run', 'ota-gateway purge --json'],
    changes: true,
    load: () => import('./commands/purge.ts'),
  },
  {
    usage: 'trace',
    description: 'print each request of a running gateway as it ends',
    examples: [
      'ota-gateway trace --errors',
      'ota-gateway trace --operation PostObject --slow 1s',
      'ota-gateway trace --json | jq .key',
    ],
    load: () => import('./commands/trace.ts'),
  },
  {
    usage: 'url <name>',
    description: 'print a signed URL that downloads an object',
    examples: [
      'ota-gateway url ota/5915.bin --data-dir /var/lib/ota',
      'curl -O "$(ota-gateway url FIRMWARE_ID --expires 10m)"',
    ],
    load: () => import('./commands/url.ts'),
  },
  {
    usage: 'payload <name>',
    description: 'print the message that pushes a package to a device',
    examples: [
      'ota-gateway payload FIRMWARE_ID',
      'ota-gateway payload FIRMWARE_ID --expires 1h | mosquitto_pub -s -t /ota/device/upgrade/pk/dn',
    ],
    load: () => import('./commands/payload.ts'),
  },
  {
    usage: 'accounts',
    description: 'list and change the accounts and their access keys',
    examples: [
      'ota-gateway accounts ls',
      'ota-gateway accounts add acme --max-bytes 50GiB',
      'ota-gateway accounts rotate ACCESS_KEY_ID --expire 24h',
    ],
    changes: true,
    load: () => import('./commands/accounts.ts'),
  },
  {
    usage: 'fsck',
    description: 'compare the ledger with the bodies',
    examples: ['ota-gateway fsck --data-dir /var/lib/ota', 'ota-gateway fsck --deep --repair'],
    changes: true,
    load: () => import('./commands/fsck.ts'),
  },
  {
    usage: 'backup <folder>',
    description: 'copy the data folder, or what several gateways share, into a new data folder',
    examples: [
      'ota-gateway backup /backups/ota-2026-11-26',
      'ota-gateway backup /mnt/copy --data-dir /var/lib/ota',
      'ota-gateway backup /mnt/copy --env-file /etc/ota-cluster.env',
    ],
    changes: true,
    load: () => import('./commands/backup.ts'),
  },
  {
    usage: 'export',
    description: 'copy the data folder into PostgreSQL and a bucket, for several gateways',
    examples: ['ota-gateway export --data-dir /var/lib/ota --env-file /etc/ota-cluster.env'],
    changes: true,
    load: () => import('./commands/export.ts'),
  },
  {
    usage: 'health',
    description: 'ask a running gateway whether it can serve requests',
    examples: [
      'ota-gateway health',
      'ota-gateway health --live --endpoint http://127.0.0.1:9070',
      'HEALTHCHECK CMD ["ota-gateway", "health"]',
    ],
    load: () => import('./commands/health.ts'),
  },
  {
    usage: 'doctor',
    description: 'look for what is wrong with this installation',
    examples: [
      'ota-gateway doctor',
      'ota-gateway doctor --data-dir /var/lib/ota --env-file /etc/ota-gateway.env',
      'ota-gateway doctor --json | jq .points',
    ],
    load: () => import('./commands/doctor.ts'),
  },
  {
    usage: 'completion <shell>',
    description: 'print a script that completes commands, flags and keys in bash, zsh or fish',
    examples: [
      'ota-gateway completion bash > /etc/bash_completion.d/ota-gateway',
      'ota-gateway completion zsh > "${fpath[1]}/_ota-gateway"',
      'ota-gateway completion fish > ~/.config/fish/completions/ota-gateway.fish',
    ],
    load: () => import('./commands/completion.ts'),
  },
  {
    usage: '__complete [words...]',
    description: 'print what may stand in place of the last word',
    examples: ['ota-gateway __complete -- show ota/'],
    hidden: true,
    load: () => import('./commands/complete.ts'),
  },
];

/** @returns the name of a command */
export function nameOf({ usage }: Verb): string {
  return usage.split(' ', 1)[0] ?? '';
}

/** @returns examples of a command, for the beginning of its help */
export function examplesText(examples: readonly string[]): string {
  return `Examples:\n${examples.map((each) => `  ${each}\n`).join('')}`;
}
