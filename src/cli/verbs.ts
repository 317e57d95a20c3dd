import type { Command } from 'commander';

/** A command of `ota-gateway`. */
export interface Verb {
  /** Its name and arguments, as the help shows them. */
  readonly usage: string;
  readonly description: string;
  /** Lines to type, before its flags. */
  readonly examples: readonly string[];
  /** Loads what it works with: the list of commands must not wait for it. */
  readonly load: () => Promise<VerbModule>;
}

interface VerbModule {
  /** Adds its flags, its examples, and what it does. */
  readonly configure: (command: Command) => void;
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
    usage: 'upload <file>',
    description: 'upload a file to a running gateway and make a firmware package of it',
    examples: [
      'ota-gateway upload firmware.bin --name lamp --version 1.0.0',
      'ota-gateway upload app.zip --suffix zip --name lamp --version 1.0.1 --endpoint https://ota.example.com',
    ],
    load: () => import('./commands/upload.ts'),
  },
  {
    usage: 'url <key-or-firmware-id>',
    description: 'print a signed URL that downloads an object',
    examples: [
      'ota-gateway url ota/5915.bin --data-dir /var/lib/ota',
      'curl -O "$(ota-gateway url FIRMWARE_ID --expires 10m)"',
    ],
    load: () => import('./commands/url.ts'),
  },
  {
    usage: 'payload <firmware-id>',
    description: 'print the message that pushes a package to a device',
    examples: [
      'ota-gateway payload FIRMWARE_ID',
      'ota-gateway payload FIRMWARE_ID --expires 1h | mosquitto_pub -s -t /ota/device/upgrade/pk/dn',
    ],
    load: () => import('./commands/payload.ts'),
  },
  {
    usage: 'fsck',
    description: 'compare the ledger with the bodies on disk',
    examples: ['ota-gateway fsck --data-dir /var/lib/ota', 'ota-gateway fsck --deep --repair'],
    load: () => import('./commands/fsck.ts'),
  },
  {
    usage: 'backup <folder>',
    description: 'copy the data folder into a new folder',
    examples: [
      'ota-gateway backup /backups/ota-2026-11-26',
      'ota-gateway backup /mnt/copy --data-dir /var/lib/ota',
    ],
    load: () => import('./commands/backup.ts'),
  },
];
