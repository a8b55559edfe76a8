#include "pdfenc/warm.h"

#include <fontconfig/fontconfig.h>
#include <string.h>
#include <time.h>

#include "gateway/base/fd.h"
#include "pdfenc/job.h"
#include "pdfenc/mime.h"

static const char sample[] =
	"From: =?utf-8?q?J=C3=BCrgen?= <a@example.org>\r\n"
	"To: b@example.org\r\n"
	"Subject: warm\r\n"
	"Date: Tue, 24 Nov 2026 16:15:00 +0100\r\n"
	"MIME-Version: 1.0\r\n"
	"Content-Type: text/plain; charset=utf-8\r\n"
	"\r\n"
	"Latin \303\244\303\266\303\274, \316\225\316\273\316\273\316\267\316\275\316\271\316\272"
	"\316\254, \320\240\321\203\321\201\321\201\320\272\320\270\320\271\r\n"
	"\327\242\327\221\327\250\327\231\327\252 \330\271\330\261\330\250\331\212\330\251\r\n"
	"\340\244\271\340\244\277\340\244\250\340\245\215\340\244\246\340\245\200 "
	"\340\271\204\340\270\227\340\270\242\r\n"
	"\344\270\255\346\226\207 \346\227\245\346\234\254\350\252\236\343\201\213\343\201\252 "
	"\355\225\234\352\265\255\354\226\264\r\n"
	"\360\237\230\200 \342\234\223 a   b   c\r\n";

static const char html_sample[] =
	"From: a@example.org\r\n"
	"Content-Type: text/html; charset=utf-8\r\n"
	"\r\n"
	"<h1>Warm</h1><table border=1><tr><td><b>a</b> <i>b</i></td></tr></table>\r\n";

static enum fail_code seal_sample(struct layout_engine *engine, const char *text, size_t size,
    struct fail *f)
{
	struct job_options options = { .engine = engine, .pages_max = 10 };
	struct job_request request = { .message = -1, .protection = "warm" };
	struct job_result result = { .pdf = -1 };
	struct secret password;
	enum fail_code code;

	secret_init(&password);
	request.password = &password;
	request.message_size = size;
	code = fd_memory("warm", &request.message, f);
	if (code == SG_OK)
		code = fd_write_all(request.message, text, size, f);
	if (code == SG_OK && secret_set(&password, "warm", 4) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "cannot lock memory for a password");
	if (code == SG_OK)
		code = job_run(&options, &request, &result, f);
	fd_close(&result.pdf);
	fd_close(&request.message);
	secret_free(&password);
	return code;
}

static bool has_fonts(void)
{
	FcConfig *config = FcConfigGetCurrent();
	FcFontSet *set = config != NULL ? FcConfigGetFonts(config, FcSetSystem) : NULL;

	return set != NULL && set->nfont > 0;
}

enum fail_code warm_engine(struct layout_engine **engine_out, struct fail *f)
{
	enum fail_code code;

	*engine_out = NULL;
	tzset();
	mime_start();
	if (!FcInit() || !has_fonts())
		return fail_set(f, SG_ESYSTEM, "install fonts-liberation2 and fonts-noto-core",
		    "no fonts are installed");
	*engine_out = layout_engine_new();
	code = seal_sample(*engine_out, sample, sizeof(sample) - 1, f);
	if (code == SG_OK)
		code = seal_sample(*engine_out, html_sample, sizeof(html_sample) - 1, f);
	return code;
}
