/* options: the command line of gridloopd. One table makes getopt's list, the help text and the manual agree. */
#ifndef SERVE_OPTIONS_H
#define SERVE_OPTIONS_H

#include "base/must.h"
#include "intake/login_limits.h"
#include "jurisdiction/config.h"
#include "jurisdiction/policy.h"
#include "net/crowd.h"

struct tls_server;

#define EXIT_WRONG_USE 64    /* sysexits.h: the command line */
#define EXIT_NO_START 71     /* the system would not give what is needed, for instance the address */
#define EXIT_TRY_AGAIN 75    /* the disk is full or failed: start again */
#define EXIT_WRONG_CONFIG 78 /* configuration, jurisdiction or database: do not restart, call somebody */

#define OPTIONS_ASSIGNMENTS_MOST 64 /* --set on one command line */

struct options {
	struct config config;
	struct policy *policy;
	struct tls_server *tls; /* NULL: no address is for TLS */
	const char *path;       /* of the configuration; NULL: none */
	const char *assignments[OPTIONS_ASSIGNMENTS_MOST];
	size_t assignment_count;
};

/* Reads the command line, the configuration and the jurisdiction it names. true: serve. false: all is said and done
 * (help, --check, a mistake); exit with *status. */
_Bool options_read(struct options *o, int argc, char **argv, int *status) MUST_USE;
void options_close(struct options *o); /* safe twice */

/* The certificate that this configuration names into *tls, NULL when it serves no TLS. false: lines in *p. Any thread. */
_Bool options_load_tls(const struct config *c, struct tls_server **tls, struct problems *p) MUST_USE;
/* What it allows one address. */
struct crowd_limits options_crowd(const struct config *c);
struct login_limits_options options_login_limits(const struct config *c);

#endif
