# layers.awk TABLE FILE...: holds the include lines of the files against the table of layers.

NR == FNR {
	if ($0 ~ /^[ \t]*(#|$)/) next
	if ($1 ~ /^\$/) {
		name = $1
		value = ""
		for (i = 3; i <= NF; i++) value = value (i > 3 ? "|" : "") $i
		word[name] = value
		next
	}
	rows++
	who[rows] = $1
	may[rows] = ""
	for (i = 3; i <= NF; i++) {
		item = ($i in word) ? word[$i] : $i
		may[rows] = may[rows] (i > 3 ? "|" : "") item
	}
	next
}

FNR == 1 {
	allowed = ""
	for (i = 1; i <= rows && allowed == ""; i++)
		if (FILENAME ~ who[i]) allowed = "^(" may[i] ")"
	if (allowed == "") printf "%s:1: no row in tests/lint/layers fits this file\n", FILENAME
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	if (part[2] !~ "/")
		printf "%s:%d: include \"%s\" is not written from the root\n", FILENAME, FNR, part[2]
	else if (allowed != "" && part[2] !~ allowed)
		printf "%s:%d: may not include %s (tests/lint/layers)\n", FILENAME, FNR, part[2]
}
