# Makes C of the texts named as arguments: template_built_ins of config/template.h.
BEGIN { print "#include \"config/template.h\"\n\nconst struct template_built_in template_built_ins[] = {" }
FNR == 1 {
	if (NR > 1)
		print "\t},"
	name = FILENAME
	sub(/^.*templates\//, "", name)
	printf "\t{ \"%s\",\n", name
}
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	printf "\t    \"%s\\n\"\n", $0
}
END { print "\t},\n\t{ NULL, NULL },\n};" }
