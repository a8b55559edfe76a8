# strip.awk: comments and the insides of strings become spaces; the rest of each line goes into
# code, for the rules in the file that is read after this one. Lines keep their numbers.

FNR == 1 { comment = 0; depth = 0 }

{
	code = ""
	n = length($0)
	quote = ""
	for (i = 1; i <= n; i++) {
		c = substr($0, i, 1)
		two = substr($0, i, 2)
		if (comment) {
			if (two == "*/") { comment = 0; i++ }
			continue
		}
		if (quote != "") {
			if (c == "\\") { i++; continue }
			if (c == quote) { quote = ""; code = code c }
			continue
		}
		if (two == "/*") { comment = 1; i++; code = code " "; continue }
		if (two == "//") break
		if (c == "\"" || c == "'") quote = c
		code = code c
	}
}
