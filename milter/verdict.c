/* What the scanner's answer means for a message. */
#include "milter/session_private.h"

static void denied(struct session_judgement *verdict, enum conf_action action, const char *what,
    const struct scan_result *scan, const char *hint)
{
	verdict->decides = true;
	verdict->action = action;
	verdict->stage = REPLY_SENDER;
	(void)fail_set(&verdict->why, SG_EDENIED, hint, "%s: %s", what, scan->name);
}

void session_judge(const struct conf *conf, const struct scan_result *scan,
    struct session_judgement *verdict)
{
	verdict->decides = false;
	fail_clear(&verdict->why);
	switch (scan->verdict) {
	case SCAN_CLEAN:
		return;
	case SCAN_INFECTED:
		denied(verdict, conf->scan.infected, "The message contains a virus", scan, NULL);
		return;
	case SCAN_UNSCANNABLE:
		denied(verdict, conf->scan.unscannable,
		    "The message cannot be checked for viruses", scan, "Send it in another form");
		return;
	case SCAN_ENCRYPTED:
		/* asked before the policy was changed: the alert may hide one of a limit */
		if (conf->scan.encrypted == CONF_ENCRYPTED_PASS)
			break;
		denied(verdict, conf->scan.encrypted == CONF_ENCRYPTED_HOLD ? CONF_HOLD :
		    CONF_REFUSE, "The message has encrypted files, which cannot be checked for "
		    "viruses", scan, "Send them without a password of their own");
		return;
	case SCAN_NO_VERDICT:
		break;
	}
	verdict->decides = true;
	verdict->action = CONF_REFUSE;
	verdict->stage = REPLY_SCAN;
	(void)fail_set(&verdict->why, SG_EPEER, "see sealgate doctor",
	    "the virus scanner gave no verdict: %s", scan->name);
}
