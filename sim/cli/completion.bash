# SPDX-License-Identifier: GPL-2.0-only
#
# Completion in bash.  Commands and options are those that the program's own help names,
# lifecycles, variants, checks and scenarios those that it lists: nothing here has to be changed
# when there are more.

# _slabsim_words WORDS: those that begin with what is typed
_slabsim_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# _slabsim_files PATTERN...: files whose names match, and directories to go on in
_slabsim_files()
{
	local pattern file files

	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -d -- "$cur")
	for pattern; do
		mapfile -t files < <(compgen -f -X "!$pattern" -- "$cur")
		for file in "${files[@]}"; do
			[[ -d $file ]] || COMPREPLY+=("$file")
		done
	done
}

# Scripts here, and the scenarios that slabsim was installed with.
_slabsim_scenarios()
{
	local file listed

	_slabsim_files '*.lua'
	# Whoever has begun to type is on his way to a file.
	[[ -z $cur ]] || return
	mapfile -t listed < <(_slabsim_list scenarios)
	for file in "${listed[@]}"; do
		# What is here is among the files already.
		[[ $file != /* ]] || COMPREPLY+=("$file")
	done
}

_slabsim_list()
{
	"$slabsim" list "$1" 2>/dev/null | sed -n 's/^\([^ ][^ ]*\).*/\1/p'
}

# A variant is switched on by its name and off by a minus before it.
_slabsim_variants()
{
	local names
	names=$(_slabsim_list variants)

	if [[ $cur == -* ]]; then
		# shellcheck disable=SC2086 # a list of words
		names=$(printf -- '-%s\n' $names)
		mapfile -t COMPREPLY < <(compgen -W "$names" -- "$cur")
	else
		_slabsim_words "none $names"
	fi
}

# _slabsim_value OPTION: what may follow it; fails if it takes no value
_slabsim_value()
{
	case $1 in
	--lifecycle) _slabsim_words "$(_slabsim_list lifecycles)" ;;
	--variant) _slabsim_variants ;;
	--check | --no-check) _slabsim_words "$(_slabsim_list checks)" ;;
	--order) _slabsim_words "timed ties random" ;;
	--strategy) _slabsim_words "$(_slabsim_list strategies)" ;;
	--color) _slabsim_words "auto always never" ;;
	--filter) _slabsim_words "$("$slabsim" test --list 2>/dev/null)" ;;
	--resume) _slabsim_files '*.checkpoint' ;;
	--output | --ctf) _slabsim_files '*' ;;
	--*)
		# --NAME=VALUE in the help takes a value; most are files, the others are free.
		local line
		line=$("$slabsim" help "$command" 2>/dev/null | sed -n "s/^.*$1=\([A-Z]*\).*/\1/p")
		case $line in
		'') return 1 ;;
		FILE) _slabsim_files '*' ;;
		*) COMPREPLY=() ;;
		esac
		;;
	-?)
		# A short option is completed like the long one that it stands for.
		local long
		long=$("$slabsim" help "$command" 2>/dev/null |
			sed -n "s/^  $1, \(--[a-z-]*\)=.*/\1/p")
		[[ -n $long ]] || return 1
		_slabsim_value "$long"
		;;
	*) return 1 ;;
	esac
}

_slabsim_arguments()
{
	case $command in
	run | explore | study) _slabsim_scenarios ;;
	test) _slabsim_scenarios ;;
	replay | explain) _slabsim_files '*.sched' '*.lua' ;;
	report | diff) _slabsim_files '*.jsonl' '*.csv' ;;
	list) _slabsim_words "$("$slabsim" help list 2>/dev/null |
		sed -n 's/^  slabsim list \[OPTION...\] //p' | tr '|' ' ')" ;;
	help) _slabsim_words "$commands" ;;
	*) _slabsim_files '*' ;;
	esac
}

_slabsim()
{
	local slabsim=$1 cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command='' commands i

	COMPREPLY=()
	# "~/bin/slabsim" is typed like that, and called by its real name.
	slabsim=${slabsim/#\~/$HOME}
	commands=$("$slabsim" help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
	for ((i = 1; i < COMP_CWORD && ${#command} == 0; i++)); do
		[[ ${COMP_WORDS[i]} == -* ]] || command=${COMP_WORDS[i]}
	done
	# "--name=value" is three words for bash.
	if [[ $cur == = ]]; then
		cur=
		_slabsim_value "$previous"
		return
	elif [[ $previous == = && $COMP_CWORD -gt 2 ]]; then
		_slabsim_value "${COMP_WORDS[COMP_CWORD - 2]}"
		return
	fi
	if [[ -z $command ]]; then
		_slabsim_words "$commands --help --version"
	elif ! _slabsim_value "$previous"; then
		if [[ $cur == -* ]]; then
			_slabsim_words "$("$slabsim" help "$command" 2>/dev/null |
				sed -n '/^Options:/,/^$/p' |
				sed -n 's/^  \(-[a-zA-Z], \)\{0,1\}\(--[a-z-]*\).*/\2/p')"
		else
			_slabsim_arguments
		fi
	fi
}

complete -F _slabsim slabsim
