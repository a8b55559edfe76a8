/*
 * doctor_checks: the functions that the doctor's table names. Each looks at one thing and adds at
 * least one finding. What they look at stands in the table (doctor.c).
 */
#ifndef SG_GATEWAY_POSTFIX_DOCTOR_CHECKS_H
#define SG_GATEWAY_POSTFIX_DOCTOR_CHECKS_H

#include "gateway/postfix/doctor.h"

/* doctor_gateway.c: files, sockets and workers */
void check_sandbox(struct doctor *doctor);
void check_state(struct doctor *doctor);
void check_master_key(struct doctor *doctor);
void check_signatures(struct doctor *doctor);
void check_filter(struct doctor *doctor);
void check_scanner(struct doctor *doctor);
/* doctor_clamd.c: pure but for one file */
void check_clamd(struct doctor *doctor);
void check_pdf(struct doctor *doctor);
void check_vault(struct doctor *doctor);
void check_ending(struct doctor *doctor);
void check_canary(struct doctor *doctor);
/* doctor_ready.c: asks health.listen */
void check_workers(struct doctor *doctor);
/*
 * Connects to a socket as the configuration writes it, "local:PATH" or "inet:PORT@HOST". *fd_out is
 * the caller's to close; -1 after a failure (SG_EPEER, SG_ELIMIT).
 */
MUST_USE enum fail_code doctor_connect(const char *where, int *fd_out, struct fail *f);
/* doctor_reach.c: can Postfix connect to the filter, with its user and in its jail? */
void check_reach(struct doctor *doctor);

/* doctor_postfix.c: pure, on the picture of main.cf and master.cf */
void check_smtpd(struct doctor *doctor);
void check_local(struct doctor *doctor);
void check_stage(struct doctor *doctor);
void check_backstop(struct doctor *doctor);
void check_behind(struct doctor *doctor);
void check_filters(struct doctor *doctor);
void check_nexthop(struct doctor *doctor);
void check_deliveries(struct doctor *doctor);
void check_limits(struct doctor *doctor);
void check_soft_bounce(struct doctor *doctor);
void check_version(struct doctor *doctor);

/* doctor_local.c: pure, too */
void check_forwards(struct doctor *doctor);

/* doctor_tls.c: TLS on outbound hops */
void check_routes(struct doctor *doctor);
void check_policy_maps(struct doctor *doctor);
void check_policy_service(struct doctor *doctor);
void check_dns(struct doctor *doctor);
void check_resolver(struct doctor *doctor);
void check_log(struct doctor *doctor);

/* doctor.c */
void check_attached(struct doctor *doctor);

#endif
