import type { Command } from 'commander';
import { Argument } from 'commander';

/*
 * The scripts pass the typed words on as arguments and insert what comes back; nothing typed is ever evaluated.
 */
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# Completion of ota-gateway for bash.
_ota_gateway() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(ota-gateway __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _ota_gateway ota-gateway
`,
  zsh: `#compdef ota-gateway
# Completion of ota-gateway for zsh.
_ota_gateway() {
  local -a found
  found=(\${(f)"$(ota-gateway __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( $#found )); then
    compadd -- "\${found[@]}"
  else
    _files
  fi
}
# Loaded as a function by compinit, or sourced.
if [[ $funcstack[1] == _ota-gateway ]]; then
  _ota_gateway "$@"
else
  compdef _ota_gateway ota-gateway
fi
`,
  fish: `# Completion of ota-gateway for fish.
function __ota_gateway_complete
  set -l words (commandline -opc)
  set -e words[1]
  set -l found (ota-gateway __complete -- $words (commandline -ct) 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c ota-gateway -f -a '(__ota_gateway_complete)'
`,
};

const SHELLS = Object.keys(SCRIPTS);

/** Configures `ota-gateway completion`. */
export function configure(command: Command): void {
  const [shell] = command.registeredArguments;
  if (shell instanceof Argument) shell.choices(SHELLS);
  command.action((chosen: string) => {
    process.stdout.write(SCRIPTS[chosen] ?? '');
  });
}
