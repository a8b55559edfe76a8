#include "gateway/cmd/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static const enum prepare_socket kept[] = { PREPARE_FILTER, PREPARE_POLICY, PREPARE_METRICS,
	PREPARE_HEALTH };

void kept_take(const struct conf *conf, struct prepare_sockets *sockets)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names);

	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (names == NULL || names[i] == NULL ||
		    !prepare_take(conf, names[i], fd, sockets))
			(void)close(fd);
		if (names != NULL)
			free(names[i]);
	}
	free(names);
}

void kept_give(const struct prepare_sockets *sockets)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const char *name = prepare_name(kept[i]);
		int fd = sockets->fds[kept[i]];
		char text[64];

		/* it would keep the old one beside a new one of that name */
		(void)sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
		if (fd < 0)
			continue;
		(void)snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
		(void)sd_pid_notify_with_fds(0, 0, text, &fd, 1);
	}
}
