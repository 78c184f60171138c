/**
 * Shows the profile in a shell's prompt. For our subshell: without a file and without changing the user's own start-up files,
 * which run first and win. For the user's own shell: lines for a start-up file that read two small files before each prompt
 * and start no process. Pure.
 */
import type { ShellName } from "@lockkeeper/profiles";
import path from "node:path";

/** How to start a shell that shows the profile: its arguments, and the variables to add. */
export interface PromptedShell {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Looked up each time, so that `eval "$(lockkeeper env other)"`, which drops the variable, leaves no wrong name behind. */
const POSIX = "${LOCKKEEPER_PROMPT:+$LOCKKEEPER_PROMPT }";

/** Runs before each prompt, after the start-up files, and does its work once. */
const BASH = `[[ $PS1 == *LOCKKEEPER_PROMPT* ]] || PS1='${POSIX}'$PS1`;

const FISH =
  "functions -c fish_prompt lockkeeper_own_prompt; function fish_prompt; " +
  'set -q LOCKKEEPER_PROMPT; and echo -n "$LOCKKEEPER_PROMPT "; lockkeeper_own_prompt; end';

/**
 * Returns what to add to the call of `shell` (a path) and to its environment.
 *
 * @param profile a profile's name, marked with `!` when it is protected.
 */
export function promptedShell(
  shell: string,
  { profile, protected: isProtected }: { readonly profile: string; readonly protected: boolean },
  env: Readonly<Record<string, string>>,
): PromptedShell {
  const prompt = { LOCKKEEPER_PROMPT: `[${profile}${isProtected ? "!" : ""}]` };
  switch (path.basename(shell)) {
    case "bash": {
      const before = env["PROMPT_COMMAND"] ?? "";
      // A nested shell has it already.
      const commands = before === "" ? BASH : before.includes(BASH) ? before : `${before}; ${BASH}`;
      return { args: [], env: { ...prompt, PROMPT_COMMAND: commands } };
    }
    case "zsh":
      return { args: [], env: { ...prompt, RPROMPT: prompt.LOCKKEEPER_PROMPT } };
    case "fish":
      return { args: ["-C", FISH], env: prompt };
    default:
      return { args: [], env: { ...prompt, PS1: `${POSIX}$ ` } };
  }
}

/**
 * Returns the lines for the start-up file of `shell`. The prompt then begins with `[dev]`, with `[prod!]` in red for a
 * protected profile, and with `[dev env]` when LOCKKEEPER_PROFILE decides instead of the default. Without a profile it is
 * unchanged.
 */
export function promptLines(shell: ShellName): string {
  return OWN_SHELL[shell];
}

const OWN_SHELL: Readonly<Record<ShellName, string>> = {
  bash: `# lockkeeper prompt for bash: the current profile, red when it is protected
_lockkeeper_prompt() {
  local last=$? home=\${LOCKKEEPER_HOME:-$HOME/.lockkeeper} name=\${LOCKKEEPER_PROFILE-} by='' text=''
  LOCKKEEPER_SHOWN=''
  if [[ -n $name ]]; then
    by=' env'
  elif [[ -r $home/config.json ]]; then
    IFS= read -r -d '' text <"$home/config.json"
    local default='"defaultProfile":[[:space:]]*"([a-z0-9-]+)"'
    [[ $text =~ $default ]] && name=\${BASH_REMATCH[1]}
  fi
  local known='^[a-z0-9][a-z0-9-]*$' text=''
  if [[ $name =~ $known ]]; then
    [[ -r $home/registry.json ]] && IFS= read -r -d '' text <"$home/registry.json"
    local protected='"name":"'$name'"[^'$'\\n'']*"protected":true'
    if [[ $text =~ $protected ]]; then
      LOCKKEEPER_SHOWN=$'\\001\\033[31m\\002'"[$name!$by]"$'\\001\\033[0m\\002 '
    else
      LOCKKEEPER_SHOWN="[$name$by] "
    fi
  fi
  return "$last"
}
if [[ $PROMPT_COMMAND != *_lockkeeper_prompt* ]]; then
  PROMPT_COMMAND="_lockkeeper_prompt\${PROMPT_COMMAND:+; $PROMPT_COMMAND}"
  PS1='\${LOCKKEEPER_SHOWN}'$PS1
fi
`,
  zsh: `# lockkeeper prompt for zsh: the current profile, red when it is protected
zmodload zsh/mapfile
autoload -Uz add-zsh-hook
_lockkeeper_prompt() {
  local home=\${LOCKKEEPER_HOME:-$HOME/.lockkeeper} name=\${LOCKKEEPER_PROFILE-} by='' match=() mbegin=() mend=() MATCH=''
  LOCKKEEPER_SHOWN=''
  if [[ -n $name ]]; then
    by=' env'
  elif [[ \${mapfile[$home/config.json]} =~ '"defaultProfile":[[:space:]]*"([a-z0-9-]+)"' ]]; then
    name=$match[1]
  fi
  [[ $name =~ '^[a-z0-9][a-z0-9-]*$' ]] || return 0
  if [[ \${mapfile[$home/registry.json]} =~ '"name":"'$name'"[^'$'\\n'']*"protected":true' ]]; then
    LOCKKEEPER_SHOWN="%F{red}[$name!$by]%f "
  else
    LOCKKEEPER_SHOWN="[$name$by] "
  fi
}
add-zsh-hook precmd _lockkeeper_prompt
setopt prompt_subst
[[ $PROMPT == *LOCKKEEPER_SHOWN* ]] || PROMPT='\${LOCKKEEPER_SHOWN}'$PROMPT
`,
  fish: `# lockkeeper prompt for fish: the current profile, red when it is protected
functions -q _lockkeeper_own_prompt; or functions -c fish_prompt _lockkeeper_own_prompt
function _lockkeeper_status
    return $argv[1]
end
function fish_prompt
    set -l last $status
    set -l home ~/.lockkeeper
    set -q LOCKKEEPER_HOME; and set home $LOCKKEEPER_HOME
    set -l text
    set -l name $LOCKKEEPER_PROFILE
    set -l by
    if test -n "$name"
        set by ' env'
    else if test -r $home/config.json
        read -z text <$home/config.json
        set name (string match -r '"defaultProfile":\\s*"([a-z0-9-]+)"' -- $text)[2]
    end
    if string match -qr '^[a-z0-9][a-z0-9-]*$' -- "$name"
        test -r $home/registry.json; and read -z text <$home/registry.json
        if string match -qr '"name":"'$name'"[^\\n]*"protected":true' -- $text
            set_color red
            echo -n "[$name!$by]"
            set_color normal
            echo -n ' '
        else
            echo -n "[$name$by] "
        end
    end
    _lockkeeper_status $last
    _lockkeeper_own_prompt
end
`,
};
