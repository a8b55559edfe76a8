# format.awk -v made=FOLDER FILE...: each file against what clang-format made of it in FOLDER, and
# the plain rules.

function complain(line, text) { print name ":" line ": " text }

# One token stream: comments behind code dropped, white space squeezed, brackets without padding.
function squeeze(text)
{
	gsub(/[ \t\n]+/, " ", text)
	gsub(/ ?\( ?/, "(", text)
	gsub(/ ?\) ?/, ")", text)
	gsub(/ ?\[ ?/, "[", text)
	gsub(/ ?\] ?/, "]", text)
	gsub(/ ?\{ ?/, "{\n", text)
	gsub(/ ?\} ?/, "}\n", text)
	gsub(/ ?, ?/, ",\n", text)
	gsub(/ ?; ?/, ";\n", text)
	gsub(/:/, ":\n", text)
	return text
}

function code_of(text)
{
	sub(/\/\*.*\*\/[ \t]*\\?$/, "", text)
	sub(/\\$/, "", text)
	return text
}

function statement_of(text)
{
	sub(/^[ \t]+/, "", text)
	sub(/[ \t]+\/\*.*/, "", text)
	return text
}

function depth_of(text) { return match(text, /[^\t]/) - 1 }

# The same statement at a depth that clang-format never gives it.
function indentation(line, text)
{
	text = statement_of(lines[line])
	if (lines[line] ~ /^\t*[a-z}].*[;{}]$/ && text != "" && (text in seen) &&
	    !((text, depth_of(lines[line])) in at))
		complain(line, "wrong depth")
}

function spacing(ours, theirs, a, b, n, i)
{
	ours = squeeze(ours)
	theirs = squeeze(theirs)
	if (ours == theirs)
		return
	n = split(ours, a, "\n")
	split(theirs, b, "\n")
	for (i = 1; i < n && a[i] == b[i]; i++)
		;
	complain(1, "clang-format would space otherwise: " substr(a[i], 1, 70))
}

function finish(line, text, ours, theirs, formatted)
{
	if (count == 0)
		return
	split("", seen)
	split("", at)
	formatted = made "/" name
	while ((getline text < formatted) > 0) {
		theirs = theirs code_of(text) "\n"
		seen[statement_of(text)] = 1
		at[statement_of(text), depth_of(text)] = 1
	}
	close(formatted)
	for (line = 1; line <= count; line++) {
		ours = ours code_of(lines[line]) "\n"
		indentation(line)
	}
	spacing(ours, theirs)
	if (lines[count] == "")
		complain(count, "empty line at the end")
}

function width_of(text, width, i)
{
	if (length(text) <= 100 && index(text, "\t") == 0)
		return length(text)
	width = 0
	for (i = 1; i <= length(text); i++)
		width += substr(text, i, 1) == "\t" ? 8 - width % 8 : 1
	return width
}

FNR == 1 {
	finish()
	name = FILENAME
	count = blank = 0
}
{ lines[++count] = $0 }
/[ \t]+$/ { complain(FNR, "white space at the end of the line") }
/\r/ { complain(FNR, "carriage return") }
/^ +\t/ { complain(FNR, "space before tab") }
length($0) > 30 && width_of($0) > 100 { complain(FNR, width_of($0) " columns") }
{
	blank = $0 == "" ? blank + 1 : 0
	if (blank > 1)
		complain(FNR, "two empty lines")
}
END { finish() }
