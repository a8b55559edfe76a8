# prototypes.awk HEADER...: each prototype has a comment on it, directly above it, or above the
# block of prototypes (no empty line between) in which it stands.

function end_of_block() { documented = 0 }

FNR == 1 { comment = 0; depth = 0; statement = ""; documented = 0; first = 1; head = 0 }

comment { if (/\*\//) comment = 0; if (!comment && first) { first = 0; head = 1; documented = 0 } next }
/^[ \t]*\/\*/ && depth == 0 && statement == "" {
	if (first && FNR > 1) first = 0
	documented = 1
	if (!/\*\//) comment = 1
	next
}
/^[ \t]*$/ { if (statement == "") end_of_block(); next }
/^#/ { end_of_block(); next }

{
	line = $0
	inline = line ~ /\/\*/
	gsub(/\/\*.*/, "", line)
	if (statement == "") begin = FNR
	statement = statement " " line
	opened = gsub(/{/, "{", line)
	closed = gsub(/}/, "}", line)
	depth += opened - closed
	if (depth > 0 || line !~ /;[ \t]*$/) next
	if (statement ~ /\)[ \t]*(__attribute__.*|SG_PRINTF *\([^)]*\))?;[ \t]*$/ && statement !~ /{/ &&
	    statement !~ /typedef/ && !documented && !inline)
		printf "%s:%d: prototype without a comment:%s\n", FILENAME, begin, substr(statement, 1, 70)
	statement = ""
}
