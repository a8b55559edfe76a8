# shown.awk: is each command that a document shows run? For shown.sh and play.bash.
#
# Each file is read as the KIND that was set before it on the command line:
#   run    a list of commands that are run: see play.bash
#   not    what is shown and not run: a line each; the comment above a group has the reason
#   conf   "N FILE:LINE" of blocks of sealgate.conf, which commands.sh has checked
#   doc    Markdown, and the EXAMPLES of manual pages
#   take   the same; prints the one block that has WORDS in it
# Prints FILE:LINE: FINDING.

function finding(where, text) { findings[++found] = where ": " text }

# ---- lists ----

function read_run(line,    command) {
	if (sub(/^\$ /, "", line)) {
		last_run = line
		remember(line)
	} else if (sub(/^= /, "", line))
		pattern[last_run, ++patterns[last_run]] = line
	else if (sub(/^@ [^ ]+ /, "", line)) {
		takes++
		take_file[takes] = take_words[takes] = line
		sub(/ .*/, "", take_file[takes])
		sub(/^[^ ]+ /, "", take_words[takes])
		take_at[takes] = FILENAME ":" FNR
	}
}

function remember(command) {
	if (command in known)
		return
	known[command] = FILENAME ":" FNR
	order[++commands] = command
}

# ---- what is shown ----

function clean(line) {
	sub(/[ \t]+#[ \t].*/, "", line)
	sub(/[ \t]+#?$/, "", line)
	sub(/^[ \t]*([$] )?/, "", line)
	return line
}

function in_lists(line) {
	if (!(line in known))
		return 0
	shown[line] = 1
	return 1
}

# An output is what the command above it prints.
function is_output(line, command,    i) {
	for (i = 1; i <= patterns[command]; i++)
		if (line ~ pattern[command, i])
			return 1
	return 0
}

# Words in the running text may be the beginning of a command.
function is_beginning(text,    i, j, n, segment) {
	for (i = 1; i <= commands; i++) {
		n = split(order[i], segment, / *([|][|]?|&&|;) */)
		for (j = 1; j <= n; j++)
			if (index(segment[j] " ", text " ") == 1) {
				shown[order[i]] = 1
				return 1
			}
	}
	return 0
}

function check_span(text) {
	if (text !~ /^(sealgate|post(fix|conf|queue|super|cat|map)|system(ctl|d-[a-z]+)|journalctl|apt-(get|cache)|dpkg|user(add|mod|del)|curl|make|docker|bash|touch|aa-enforce|man|sendmail|openssl|qpdf) /)
		return
	if (!in_lists(text) && !is_beginning(text))
		finding(block_file ":" FNR, "neither run nor listed: " text)
}

function check_block(    i, line, joined, above, listed) {
	for (i = 1; i <= lines; i++) {
		line = joined clean(block[i])
		if (line ~ /^#/ || line == "" || sub(/[ \t]*\\$/, " ", line) || line ~ /[|]$/) {
			joined = line ~ /[ |]$/ ? line " " : ""
			gsub(/  +/, " ", joined)
			continue
		}
		joined = ""
		if (in_lists(line)) {
			above = line
			if (i == 1)
				listed = 1
		} else if (!listed && !is_output(line, above))
			finding(block_at[i], "neither run nor listed: " line)
	}
}

function end_block(    i, whole, skip) {
	for (i = 1; i <= lines; i++) {
		whole = whole block[i] "\n"
		skip = skip || (block_at[i] in conf)
	}
	if (lines > 0 && kind == "take") {
		if (index(whole, WORDS))
			printf "%s", whole
	} else if (lines > 0) {
		for (i = 1; i <= takes; i++)
			if (take_file[i] == block_file && index(whole, take_words[i])) {
				taken[i] = 1
				skip = 1
			}
		if (!skip)
			check_block()
	}
	lines = 0
}

function add_line(line) {
	block[++lines] = line
	block_at[lines] = FILENAME ":" FNR
}

# ---- documents ----

function spans(line,    rest) {
	rest = held line
	held = ""
	if (gsub(/`/, "`", rest) % 2 == 1 && rest !~ /^\|/) {
		held = rest " "
		return
	}
	while (match(rest, /`[^`]+`/)) {
		check_span(substr(rest, RSTART + 1, RLENGTH - 2))
		rest = substr(rest, RSTART + RLENGTH)
	}
}

function markdown(line) {
	if (line ~ /^ *```/) {
		end_block()
		fenced = !fenced
	} else if (fenced)
		add_line(line)
	else if (line ~ /^(    |\t)/ && (blank || lines > 0)) {
		sub(/^(    |\t)/, "", line)
		add_line(line)
	} else {
		end_block()
		blank = line ~ /^[ \t]*$/
		if (blank)
			held = ""
		else if (kind != "take")
			spans(line)
	}
}

function manual(line) {
	if (line ~ /^\.Bd -literal/ || line ~ /^\.Ed/) {
		end_block()
		fenced = line ~ /^\.Bd/
		return
	}
	if (!fenced && !sub(/^\.Dl /, "", line))
		return
	gsub(/\\\(dq/, "\"", line)
	gsub(/\\e/, "\\", line)
	sub(/^# /, "", line)
	add_line(line)
	if (!fenced)
		end_block()
}

FNR == 1 {
	end_block()
	kind = KIND
	fenced = 0
	blank = 1
	held = ""
	block_file = FILENAME
}
KIND == "run" { read_run($0) }
KIND == "not" && !/^(#|$)/ { remember($0) }
KIND == "conf" { conf[$2] = 1 }
KIND == "doc" || KIND == "take" {
	if (FILENAME ~ /\.[158]$/)
		manual($0)
	else
		markdown($0)
}
END {
	end_block()
	for (i = 1; i <= commands && kind != "take"; i++)
		if (!(order[i] in shown))
			finding(known[order[i]], "no document shows: " order[i])
	for (i = 1; i <= takes; i++)
		if (!(i in taken))
			finding(take_at[i], take_file[i] " has no block with: " take_words[i])
	for (i = 1; i <= found; i++)
		print findings[i]
}
