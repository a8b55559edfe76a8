# words.awk: what the style does not use. Reads what strip.awk left in code.

function finding(text) { printf "%s:%d: %s\n", FILENAME, FNR, text }
function calls(names) { return code ~ "(^|[^A-Za-z0-9_.>])(" names ")[ \t]*\\(" }

FNR == 1 {
	product = FILENAME ~ /^(config|gateway|milter|pdfenc)\//
	is_main = FILENAME ~ /(^|\/)(main|sealgate)\.c$/
}

code == "" { next }

{
	if (calls("strcpy|strcat|sprintf|vsprintf|strncpy|strtok|atoi|atol|gets"))
		finding("a function that the style forbids")
	if (calls("system|popen|tmpnam|mktemp|rand|srand|setjmp|longjmp|alloca"))
		finding("a function that the style forbids")
	if (product && FILENAME !~ /base\/str\.c$/ && calls("strtol|strtoul|strtoll|strtoull|sscanf"))
		finding("numbers are parsed in gateway/base/str.c only")
	if (product && !is_main && calls("getenv|secure_getenv"))
		finding("getenv outside main")
	if (product && !is_main && FILENAME !~ /base\/(fail|proc)\.c$/ && calls("exit|abort|assert"))
		finding("ends the process outside main")
	if (product && code ~ /memcmp *\([^;]*(hmac|password|secret|digest)[a-z_]*[,)]/)
		finding("memcmp on a secret: compare in constant time")
	if (code ~ /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else|endif)/) {
		if (depth > 0 && in_function) finding("preprocessor condition inside a function")
		next
	}
	if (product && code ~ /^[ \t]*typedef[^(]*;/)
		finding("typedef of something other than a function type")
	if (product && depth == 0 && code ~ /^static [^(]*[;=]/ && code !~ /(^|[^a-z_])const([^a-z_]|$)/ &&
	    FILENAME !~ /base\/log\.c$/)
		finding("a mutable variable at file scope")
	if (depth == 0 && code ~ /^{/) in_function = 1
	opened = gsub(/{/, "{", code)
	closed = gsub(/}/, "}", code)
	depth += opened - closed
	if (depth <= 0) { depth = 0; in_function = 0 }
}
