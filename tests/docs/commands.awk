# commands.awk: what the documentation names, and is not there. For commands.sh.
#
# Each file is read as the KIND that was set before it on the command line:
#   usage   what "sealgate COMMAND --help" prints, for each command
#   keys    "sealgate config manual": ".It Ic KEY"
#   files   a path a line
#   make    makefiles
#   source  C: its strings are the events and replies that there are
#   doc     Markdown, and manual pages
# Prints FILE:LINE: FINDING. Blocks of sealgate.conf go to OUT/N.conf, their places to OUT/list.

function finding(text) { findings[++found] = at ": " text }

function is_section(name) { return name in sections }

# ---- what there is ----

# "[--tenant T] FILE ..." as literal words, options with or without a value, and arguments.
function read_usage(line,    n, i, token, name, optional, count) {
	sub(/^(usage:)? *sealgate /, "", line)
	sub(/ [<] .*/, "", line)
	count = ++usages
	n = split(line, token, " ")
	command[count] = token[1]
	commands[token[1]] = 1
	words[count] = ""
	for (i = 2; i <= n; i++) {
		optional = optional || substr(token[i], 1, 1) == "["
		name = token[i]
		gsub(/[][]/, "", name)
		if (name == "...")
			most[count] = 1000
		else if (name ~ /^--/)
			options[count, name] = token[i] !~ /\]$/ && token[i + 1] ~ /^[A-Z]/ ? 2 : 1
		else if (name ~ /^-[a-z]/)
			read_flags(count, substr(name, 2))
		else if (name ~ /^[A-Z]/ && !value_of[count, i]) {
			most[count]++
			least[count] += !optional
		} else if (name ~ /^[a-z]/)
			words[count] = words[count] " " name
		if (name ~ /^--/ && options[count, name] == 2)
			value_of[count, i + 1] = 1
		if (token[i] ~ /\]$/)
			optional = 0
	}
}

function read_flags(count, letters,    i) {
	for (i = 1; i <= length(letters); i++)
		options[count, "-" substr(letters, i, 1)] = 1
}

function read_make(line,    n, i, name) {
	if (line !~ /^[a-z][a-z -]*:([^=]|$)/)
		return
	sub(/:.*/, "", line)
	n = split(line, name, " ")
	for (i = 1; i <= n; i++)
		targets[name[i]] = 1
}

function end_source() {
	gsub(/"\n[ \t]*"/, "", source)
	sources[++source_count] = source
	source = ""
}

function read_source(line,    text) {
	if (FNR == 1)
		end_source()
	source = source line "\n"
	while (match(line, /"[a-z][a-z_-]*"/)) {
		strings[substr(line, RSTART + 1, RLENGTH - 2)] = 1
		line = substr(line, RSTART + RLENGTH)
	}
}

function read_file(path) {
	files[path] = 1
	while (sub(/\/[^\/]*$/, "", path))
		files[path] = 1
}

# ---- commands ----

# "" if the words fit usage u. whole: nothing is left out.
function misfit(u, n, token, whole,    i, w, wn, want, name, given, at_word) {
	wn = split(words[u], want, " ")
	at_word = 1
	given = 0
	for (i = 2; i <= n; i++) {
		if (token[i] ~ /^[<>&]/)
			break
		name = token[i]
		sub(/=.*/, "", name)
		if (name ~ /^-./) {
			if (!((u, name) in options) && !flags_fit(u, name))
				return "no option " name
			if (options[u, name] == 2 && name == token[i])
				i++
		} else if (at_word <= wn) {
			if (token[i] != want[at_word++])
				return "no " token[i]
		} else
			given++
	}
	if (given > most[u] + 0)
		return "too many words"
	if (whole && (at_word <= wn || given < least[u] + 0))
		return "words are missing"
	return ""
}

function flags_fit(u, name,    i) {
	if (name !~ /^-[a-z]+$/)
		return 0
	for (i = 2; i <= length(name); i++)
		if (!((u, "-" substr(name, i, 1)) in options))
			return 0
	return 1
}

function check_command(text, whole,    n, i, u, token, why, first) {
	n = split(text, token, " ")
	for (i = 1; i < n && token[i + 1] == "-c"; i += 2)
		;
	for (first = i; i <= n; i++)
		token[i - first + 1] = token[i]
	n -= first - 1
	if (n < 2 || token[2] ~ /^--(help|version)$/ || token[2] == "help" || token[2] == "version" ||
	    token[2] == "COMMAND")
		return
	if (!(token[2] in commands)) {
		finding("there is no command \"sealgate " token[2] "\"")
		return
	}
	for (i = 3; i <= n; i++)
		if (token[i] == "--help")
			return
	for (i = 2; i <= n; i++)
		token[i - 1] = token[i]
	why = ""
	for (u = 1; u <= usages; u++) {
		if (command[u] != token[1])
			continue
		first = misfit(u, n - 1, token, whole)
		if (first == "")
			return
		# the reason of the form that was meant: the same second word
		if (why == "" || index(words[u] " ", " " token[2] " ") == 1)
			why = first
	}
	finding("\"" text "\": " why " in what sealgate " token[1] " --help shows")
}

function check_make(text,    n, i, token) {
	n = split(text, token, " ")
	for (i = 2; i <= n; i++) {
		if (token[i] ~ /^[<>&#]/)
			return
		if (token[i] !~ /=/ && token[i] !~ /^-/ && !(token[i] in targets))
			finding("there is no target \"make " token[i] "\"")
	}
}

function check_man(text,    n, i, token) {
	n = split(text, token, " ")
	for (i = 2; i <= n && token[i] !~ /^[<>&#|]/; i++)
		if (token[i] ~ /^sealgate/ && !(token[i] in pages))
			finding("there is no manual page " token[i])
}

# One command of a line. Words before it that the shell or sudo take are taken off.
function check_segment(text, whole) {
	sub(/^[ \t]*([$] )?/, "", text)
	sub(/[ \t]+$/, "", text)
	while (text ~ /^(sudo|then|do|if|[A-Z_]+=[^ ]*) /)
		sub(/^[^ ]+ +/, "", text)
	if (text ~ /^sealgate( |$)/)
		check_command(text, whole)
	else if (text ~ /^make( |$)/)
		check_make(text)
	else if (text ~ /^man /)
		check_man(text)
}

function check_line(text, whole,    n, i, segment) {
	sub(/[ \t]#[ \t].*/, "", text)
	sub(/[ \t]+#$/, "", text)
	n = split(text, segment, / *([|][|]?|&&|;) */)
	for (i = 1; i <= n; i++)
		check_segment(segment[i], whole)
}

# ---- code spans: keys, files, tests, pages, programs ----

function exists(path) {
	sub(/\/$/, "", path)
	if (path in files || (path ".sh") in files || (path ".c") in files || (path ".h") in files)
		return 1
	return index(path, "*") > 0 && glob_exists(path)
}

function glob_exists(path,    file) {
	path = substr(path, 1, index(path, "*") - 1)
	for (file in files)
		if (index(file, path) == 1)
			return 1
	return 0
}

function check_path(text,    top) {
	top = text
	sub(/\/.*/, "", top)
	if (top ~ /^(config|docs|docker|gateway|milter|pdfenc|tests)$/) {
		if (!exists(text) && !exists("tests/unit/" text))
			finding("there is no " text)
	} else if (("tests/" top) in files) {
		if (!exists("tests/" text))
			finding("there is no test " text)
	}
}

function check_key(text,    name, section, leaf) {
	name = text
	sub(/ = .*/, "", name)
	section = leaf = name
	sub(/\..*/, "", section)
	sub(/.*\./, "", leaf)
	if (!is_section(section) || leaf ~ /^(c|h|cc|sh|md|sock|conf|awk)$/)
		return
	if (!(name in keys))
		finding("there is no key " name)
}

function check_name(text,    name) {
	name = text
	if (sub(/\([158]\)$/, "", name)) {
		if (!(name in pages))
			finding("there is no manual page " text)
	} else if (!(name in pages) && !(name in users))
		finding("there is no " name)
}

function check_span(text) {
	if (text ~ /^(sealgate|make|man) /)
		check_line(text, 0)
	else if (text ~ /^sealgate[a-z.-]*\([158]\)$/ || text ~ /^sealgate-[a-z]+$/)
		check_name(text)
	else if (text ~ /^[a-z_]+\.[a-z_0-9]+( = .*)?$/)
		check_key(text)
	else if (text ~ /^[a-zA-Z_.]+\/[^ ]*$/)
		check_path(text)
}

# the first column of a table of events, or of replies
function check_cell(line,    cell, text, i) {
	cell = line
	sub(/^\| */, "", cell)
	sub(/ *\|.*/, "", cell)
	while (match(cell, /`[^`]+`/)) {
		text = substr(cell, RSTART + 1, RLENGTH - 2)
		cell = substr(cell, RSTART + RLENGTH)
		if (table == "event") {
			sub(/ .*/, "", text)
			if (!(text in strings))
				finding("there is no event " text)
			continue
		}
		sub(/[.][.][.].*/, "", text)
		for (i = 1; i <= source_count; i++)
			if (index(sources[i], text) > 0)
				break
		if (i > source_count)
			finding("nobody says \"" text "\"")
	}
}

# ---- documents ----

function slug(text) {
	text = tolower(text)
	gsub(/[^a-z0-9 _-]/, "", text)
	gsub(/ /, "-", text)
	return text
}

function remember_link(target) {
	if (target ~ /^(https?|mailto):/)
		return
	link[++links] = target
	link_at[links] = at
	link_file[links] = FILENAME
}

function check_link(i,    target, path, anchor, folder) {
	target = path = link[i]
	at = link_at[i]
	anchor = ""
	if (index(target, "#") > 0) {
		anchor = substr(target, index(target, "#") + 1)
		path = substr(target, 1, index(target, "#") - 1)
	}
	folder = link_file[i]
	if (!sub(/[^\/]*$/, "", folder))
		folder = ""
	path = path == "" ? link_file[i] : folder path
	while (sub(/[^\/]+\/\.\.\//, "", path))
		;
	if (!(path in files) && !(path in read))
		finding("the link leads nowhere: " target)
	else if (anchor != "" && !((path, anchor) in anchors))
		finding("no such heading: " target)
}

function end_block(    i, conf) {
	if (block_lines > 0 && block_conf && block_language !~ /^(sh|json|nginx)$/) {
		conf = OUT "/" ++blocks ".conf"
		for (i = 1; i <= block_lines; i++)
			print block[i] > conf
		close(conf)
		print blocks, block_at > (OUT "/list")
	}
	block_lines = 0
	block_conf = depth = 0
	joined = ""
}

# Between two braces a block goes on over an empty line; elsewhere another one begins there.
function blank_line() {
	if (block_lines > 0 && depth > 0)
		block[++block_lines] = ""
	else
		end_block()
}

function code_line(line,    head) {
	if (block_lines == 0)
		block_at = at
	block[++block_lines] = line
	head = line
	depth += gsub(/[{]/, "{", head) - gsub(/[}]/, "}", head)
	sub(/^[ \t]+/, "", head)
	if (head ~ /^(tenant|hop) .*[{]/ || (head ~ /^[a-z_]+ [{]$/ && is_section(substr(head, 1, length(head) - 2))))
		block_conf = 1
	if (head ~ /^[a-z_]+ = / && block_lines == 1 && (substr(head, 1, index(head, " ") - 1) in keys))
		block_conf = 1
	if (line ~ /\\$/) {
		joined = joined substr(line, 1, length(line) - 1) " "
		return
	}
	check_line(joined line, 1)
	joined = ""
}

function prose(line,    rest, heading) {
	if (line ~ /^#+ /) {
		heading = line
		sub(/^#+ /, "", heading)
		anchors[FILENAME, slug(heading)] = 1
	}
	if (line !~ /^\|/)
		table = ""
	else if (line ~ /^\| (event|reply) /)
		table = line ~ /^\| event/ ? "event" : "reply"
	else if (table != "")
		check_cell(line)
	rest = line
	while (match(rest, /\]\([^)]+\)/)) {
		remember_link(substr(rest, RSTART + 2, RLENGTH - 3))
		rest = substr(rest, RSTART + RLENGTH)
	}
	rest = line
	while (match(rest, /`[^`]+`/)) {
		check_span(substr(rest, RSTART + 1, RLENGTH - 2))
		rest = substr(rest, RSTART + RLENGTH)
	}
}

function markdown(line) {
	if (line ~ /^ *```/) {
		end_block()
		fenced = !fenced
		block_language = line
		sub(/^ *``` */, "", block_language)
		if (!fenced)
			block_language = ""
		blank = 0
		return
	}
	if (fenced && line ~ /^[ \t]*$/) {
		blank_line()
		return
	}
	if (fenced || (line ~ /^(    |\t)/ && (blank || block_lines > 0))) {
		code_line(line)
		return
	}
	if (line ~ /^[ \t]*$/) {
		blank = 1
		blank_line()
		return
	}
	end_block()
	blank = 0
	# a span may go over a line's end
	if (held != "")
		line = held " " line
	held = ""
	if (gsub(/`/, "`", line) % 2 == 1 && line !~ /^\|/) {
		held = line
		return
	}
	prose(line)
}

function manual(line) {
	if (line ~ /^\.Bd -literal/ || line ~ /^\.Ed/) {
		fenced = line ~ /^\.Bd/
		return
	}
	if (!fenced && !sub(/^\.Dl /, "", line))
		return
	gsub(/\\\(dq/, "\"", line)
	gsub(/\\e/, "\\", line)
	sub(/^# /, "", line)
	check_line(line, 1)
}

FNR == 1 {
	end_block()
	fenced = 0
	blank = 1
	held = table = ""
	read[FILENAME] = 1
}
KIND == "usage" && /^(usage:|      ) *sealgate [a-z]/ { read_usage($0) }
KIND == "keys" && /^\.It Ic / {
	keys[$3] = 1
	if (index($3, ".") > 0)
		sections[substr($3, 1, index($3, ".") - 1)] = 1
}
KIND == "files" {
	read_file($0)
	if ($0 ~ /^docs\/man\/sealgate[a-z.-]*\.[158]$/) {
		page = $0
		sub(/^docs\/man\//, "", page)
		sub(/\.[158]$/, "", page)
		pages[page] = 1
	}
}
KIND == "make" { read_make($0) }
KIND == "source" { read_source($0) }
KIND == "source" && FILENAME ~ /keys\.c$/ && match($0, /"sealgate-[a-z]+"/) { users[substr($0, RSTART + 1, RLENGTH - 2)] = 1 }
KIND == "doc" {
	at = FILENAME ":" FNR
	if (FILENAME ~ /\.[158]$/)
		manual($0)
	else
		markdown($0)
}
END {
	end_block()
	for (i = 1; i <= links; i++)
		check_link(i)
	for (i = 1; i <= found; i++)
		print findings[i]
}
