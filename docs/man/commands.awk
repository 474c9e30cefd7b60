# SPDX-License-Identifier: GPL-2.0-only
#
# commands.awk -v SLABSIM=PROGRAM slabsim.1 - the manual page, with what the program
# itself says about its commands in place of the line "@commands@".
#
# So the page has every command and option of the program that it is installed with.

function fail(what)
{
	print "commands.awk: " what > "/dev/stderr"
	failed = 1
	exit 1
}

# Text is no macro, whatever it begins with; a sentence begins on a line of its own.
function put_text(s,    n, sentences, i, m, words, j, line)
{
	gsub(/\\/, "\\e", s)
	n = split(s, sentences, /\. +/)
	for (i = 1; i <= n; i++) {
		m = split(sentences[i] (i < n ? "." : ""), words, " ")
		line = ""
		for (j = 1; j <= m; j++) {
			if (line != "" && length(line " " words[j]) > 76) {
				put_line(line)
				line = ""
			}
			line = line (line == "" ? "" : " ") words[j]
		}
		put_line(line)
	}
}

function put_line(line)
{
	print (line ~ /^[.']/ ? "\\&" : "") line
}

# "-l, --lifecycle=NAME" as an item of a list.
function put_option(s,    n, parts, i, line, name, value)
{
	line = ".It"
	n = split(s, parts, /, /)
	for (i = 1; i <= n; i++) {
		name = parts[i]
		value = ""
		if (match(name, /=/)) {
			value = substr(name, RSTART + 1)
			name = substr(name, 1, RSTART - 1)
		}
		sub(/^-/, "", name)
		line = line (i > 1 ? " , " : " ") "Fl " name
		if (value != "")
			line = line " Ns = Ns Ar " value
	}
	print line
}

# "[PATH...]" is optional and repeated.
function put_usage(s,    n, words, i, word)
{
	n = split(s, words, " ")
	print ".Bd -ragged -offset indent"
	print ".Nm " words[1]
	print ".Cm " words[2]
	for (i = 3; i <= n; i++) {
		word = words[i]
		if (word ~ /^\[.*\]$/) {
			word = substr(word, 2, length(word) - 2)
			sub(/\.\.\.$/, " ...", word)
			print ".Op Ar " word
		} else {
			gsub(/\|/, " | ", word)
			print ".Ar " word
		}
	}
	print ".Ed"
}

function end_block()
{
	if (block == "list")
		print ".El"
	else if (block == "example")
		print ".Ed"
	block = ""
}

# Before a paragraph, unless something else makes a gap there.
function begin_text()
{
	end_block()
	if (gap)
		print ".Pp"
	gap = 0
}

# A line that stands below the options.
function put_rest(line)
{
	if (line == "") {
		end_block()
		gap = 1
	} else if (line ~ /^Examples?:$/) {
		end_block()
	} else if (line ~ /^  /) {
		if (block != "example") {
			end_block()
			print ".Bd -literal -offset indent"
			block = "example"
			gap = 0
		}
		gsub(/\\/, "\\e", line)
		print substr(line, 3)
	} else {
		begin_text()
		put_text(line)
	}
}

function put_command(name,    command, line, part, nr, text)
{
	command = SLABSIM " help " name
	part = "usage"
	print ".Ss " name
	gap = 0
	while ((command | getline line) > 0) {
		nr++
		if (part == "usage" && line ~ /^  slabsim /) {
			put_usage(line)
			part = "summary"
		} else if (part == "summary" && line == "Options:") {
			print ".Bl -tag -width Ds"
			block = "list"
			part = "options"
		} else if (part == "summary" && line != "") {
			put_text(line ".")
		} else if (part == "options" && line ~ /^  -/) {
			sub(/^ +/, "", line)
			if (!match(line, /   +/))
				fail(name ": an option without a text: " line)
			text = substr(line, RSTART + RLENGTH) "."
			put_option(substr(line, 1, RSTART - 1))
			put_text(text)
		} else if (part == "options" && line == "") {
			part = "rest"
			gap = 1
		} else if (part == "rest") {
			put_rest(line)
		}
	}
	close(command)
	end_block()
	if (!nr || part == "usage" || part == "summary")
		fail("'" command "' does not say what it should")
}

function put_commands(    command, line, n, names, i)
{
	command = SLABSIM " help"
	while ((command | getline line) > 0) {
		if (line ~ /^Commands:/)
			n = 1
		else if (n && line == "")
			break
		else if (n) {
			split(line, names, " ")
			all[n++] = names[1]
		}
	}
	close(command)
	if (n < 2)
		fail("'" command "' names no commands")
	for (i = 1; i < n; i++)
		put_command(all[i])
}

/^@commands@$/ { put_commands(); next }
{ print }

END { exit failed }
