# Builds the driver tests/lib/pdf_seal.c with the objects of a build: pdf_seal_build BUILD OUT
pdf_seal_build() {
	local build=$1 out=$2 sanitize=() objects config flags libs heif
	case $build in *asan*) sanitize=('-fsanitize=address,undefined' -DSG_SANITIZE) ;; esac
	mapfile -t objects < <(find "$build/obj/gateway/base" "$build/obj/pdfenc" -name '*.o' \
		! -path '*/pdfenc/main.o')
	mapfile -t config < <(find "$build"/obj/{config,gen} -name '*.o' ! -name 'conf.o' \
		! -name 'conf_check.o' ! -name 'conf_scan.o' ! -name 'keys_doc.o' 2> /dev/null)
	read -ra flags < <(pkg-config --cflags gmime-3.0 pangoft2 harfbuzz harfbuzz-subset)
	read -ra libs < <(pkg-config --libs gmime-3.0 pangoft2 fontconfig harfbuzz \
		harfbuzz-subset libdeflate libpng libwebp libqpdf libidn2)
	mapfile -t heif < <(pkg-config --exists libheif && echo -lheif)
	gcc -std=c17 -D_GNU_SOURCE -O1 -iquote . "${sanitize[@]}" "${flags[@]}" -o "$out" \
		tests/lib/pdf_seal.c "${objects[@]}" "${config[@]}" "${libs[@]}" \
		-llitehtml -lgif -ljpeg -lytnef "${heif[@]}" -lstdc++ -lm -lpthread
}

# Builds what looks at finished PDFs, with libqpdf alone: pdf_check_build OUT
pdf_check_build() {
	local flags
	read -ra flags < <(pkg-config --cflags --libs libqpdf)
	g++ -std=c++17 -O1 -Wall -Wextra -o "$1" tests/lib/pdf_check.cc "${flags[@]}"
}
