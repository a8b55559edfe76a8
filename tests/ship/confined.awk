# confined.awk: from a log of "strace -f -y -Y" what AppArmor would be asked about Sealgate's programs:
# lines "RIGHT<tab>PATH<tab>PROGRAM". RIGHT is r, w, k (lock), m (mapped to be executed), x, l (a second
# name), net (PATH is then FAMILY TYPE) or mount. Calls that failed are none. What is read before the
# log and begins with a slash are the folders of that machine.
#
# Paths come from what strace says behind descriptors, which is how AppArmor sees them: after links.

function want(right, path) {
	if (path ~ /^\/memfd:/)
		return
	sub(/^\/var\/run\//, "/run/", path)
	sub(/^\/proc\/self\//, "/proc/1/", path)
	while (match(path, /\/[^\/]+\/\.\.\//))
		path = substr(path, 1, RSTART) substr(path, RSTART + RLENGTH)
	if (path ~ /.\/$/)
		is_folder[substr(path, 1, length(path) - 1)] = 1
	wanted[right "\t" path "\t" program] = 1
}

# The path in "3</a/path>" at the start of text; "" if there is none.
function annotated(text) {
	if (!match(text, /^[A-Z_0-9]+<[^>]*>/))
		return ""
	text = substr(text, 1, RLENGTH - 1)
	sub(/^[^<]*</, "", text)
	return text
}

# Each quoted name of a call, with the folder that it begins from.
function want_names(right, text, tail,   name, from) {
	while (match(text, /([A-Z_0-9]+<[^>]*>, )?"[^"]*"/)) {
		name = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		from = annotated(name)
		sub(/^[^"]*"/, "", name)
		sub(/"$/, "", name)
		if (name != "")
			want(right, (name ~ /^\// ? name : from "/" name) tail)
	}
}

# Flags stand behind the name, the path behind the descriptor that came out.
function want_open(text, result,   path, flags) {
	path = annotated(result)
	flags = text
	sub(/^.*", /, "", flags)
	if (flags ~ /O_PATH/ || path !~ /^\//)
		return
	if (flags ~ /O_DIRECTORY/ && path != "/")
		path = path "/"
	if (flags !~ /O_WRONLY/)
		want("r", path)
	if (flags ~ /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/)
		want("w", path)
}

function want_socket(text,   kind) {
	split(tolower(text), kind, /[, )]+/)
	sub(/^af_/, "", kind[1])
	sub(/^sock_/, "", kind[2])
	sub(/\|.*/, "", kind[2])
	want("net", kind[1] " " kind[2])
}

function want_call(call, text, result) {
	if (call ~ /^(open|openat|openat2|creat)$/)
		want_open(text, result)
	else if (call == "mmap" && text ~ /PROT_EXEC/ && match(text, /[0-9]+<\/[^>]*>/))
		want("m", annotated(substr(text, RSTART)))
	else if (call == "execve" && match(text, /^"[^"]*"/))
		want("x", substr(text, 2, RLENGTH - 2))
	else if (call ~ /^(mkdir|mkdirat|rmdir)$/ || text ~ /AT_REMOVEDIR/)
		want_names("w", text, "/")
	else if (call ~ /^(unlink|rename|chmod|fchmodat|chown|lchown|fchownat|truncate)/)
		want_names("w", text, "")
	else if (call ~ /^symlink/)
		want_names("w", substr(text, index(text, "\", ") + 3), "")
	else if (call ~ /^link/)
		want_names("l", text, "")
	else if (call ~ /^readlink/ && match(text, /^[^"]*"[^"]*"/))
		want_names("r", substr(text, 1, RLENGTH), "")
	else if (call ~ /^(connect|bind)$/ && match(text, /sun_path="[^"]*"/))
		want("w", substr(text, RSTART + 10, RLENGTH - 11))
	else if (call == "flock" || (call == "fcntl" && text ~ /F_(OFD_)?SETLK/))
		want("k", annotated(text))
	else if (call == "socket")
		want_socket(text)
	else if (call ~ /^(mount|umount2)$/)
		want_names("mount", text, "")
}

/^\// {
	is_folder[$0] = 1
	next
}

# PID<PROGRAM> CALL(...) = RESULT, in two pieces where another line came between.
match($0, /^[0-9]+<[^>]*> /) {
	pid = $1
	sub(/<.*/, "", pid)
	program = substr($0, length(pid) + 2, RLENGTH - length(pid) - 3)
	line = substr($0, RLENGTH + 1)
	if (sub(/ <unfinished \.\.\.>$/, "", line)) {
		begun[pid] = line
		by[pid] = program
		next
	}
	if (match(line, /^<\.\.\. [a-z0-9_]+ resumed>/)) {
		line = begun[pid] substr(line, RLENGTH + 1)
		program = by[pid]
	}
	if (program !~ /^sealgate/ || line !~ /\) += /)
		next
	result = line
	sub(/^.*\) += /, "", result)
	call = line
	sub(/\(.*/, "", call)
	if (result !~ /^[-?]/)
		want_call(call, substr(line, length(call) + 2), result)
}

# AppArmor ends folders with a slash, however they were opened.
END {
	for (one in wanted) {
		split(one, part, "\t")
		if (part[2] in is_folder)
			part[2] = part[2] "/"
		printf "%s\t%s\t%s\n", part[1], part[2], part[3]
	}
}
