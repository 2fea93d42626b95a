/* care: what the verbs that look after a set-up share. */
#ifndef CLI_CARE_H
#define CLI_CARE_H

#include "verb.h"

#define CARE_CONFIG "/etc/gridloop/gridloop.conf"
/* Where the shipped unit gridloopd-local.socket listens. */
#define CARE_SOCKET "/run/gridloop/gridloopd.sock"
#define CARE_CONFIG_ROW                                                                                                \
	{                                                                                                              \
		"--config", OPTION_TEXT, "FILE", "the daemon's configuration; without it " CARE_CONFIG, 0, 0           \
	}

/* The file given with --config, else the one by custom. */
const char *care_config_path(const struct call *call);

#endif
