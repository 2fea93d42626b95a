/* config: how the daemon runs on this machine (what the street has decided is the policy). One file of "key = value"
 * lines, /etc/gridloop/gridloop.conf by custom, with single keys changed on the command line; read whole and checked
 * whole before anything starts. The field of a key has its name; spans end in _ms. */
#ifndef JURISDICTION_CONFIG_H
#define JURISDICTION_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"

struct policy;

enum config_clock { CONFIG_CLOCK_SYSTEM = 0, CONFIG_CLOCK_REPLAY = 1 };

struct config {
	char *path; /* of the file, for problems found later */

	char *listen;        /* plain: addresses, separated by spaces, which config_address takes apart */
	_Bool listen_remote; /* addresses other than loopback are meant */
	char *listen_tls;    /* likewise; never all three empty */
	char *listen_unix;   /* path of a socket file; "" none */
	char *tls_certificate, *tls_key,
		*tls_client_ca; /* PEM files; "" none. Relative to nothing but the working folder */
	char *database;
	char *jurisdiction; /* already relative to nothing but the working folder */
	char *time_zone;
	int clock; /* enum config_clock */
	int64_t shard;
	int log_level; /* counted from LOG_LEVEL_ERROR */

	int64_t frame_max;                   /* bytes of one frame */
	int64_t connections_max;             /* at once, over all addresses */
	int64_t connections_per_address_max; /* these three hold for each address beyond this machine */
	int64_t handshakes_per_address_max;  /* connections that have not logged in */
	int64_t handshakes_per_second_max;   /* new connections */
	int64_t connection_memory;           /* bytes of answers waiting for one connection */
	int64_t idle_timeout_ms;
	int64_t login_timeout_ms;
	int64_t inflight_max;                           /* requests of one connection under way */
	int64_t login_failures, login_failures_address; /* 0: no limit */
	int64_t login_lock_ms;
	int64_t rate_reporter, rate_staff, rate_gateway, rate_address; /* requests a minute; 0: any number */

	int64_t queue_max;   /* commands waiting for the writer */
	int64_t batch_max;   /* commands in one transaction */
	int64_t readers;     /* threads */
	int64_t queries_max; /* queries waiting for them */
	int64_t checkpoint_frames;
	int64_t disk_ballast, disk_free_min; /* bytes */

	char *evidence;                                     /* folder; never empty once loaded */
	int64_t evidence_image_max, evidence_clip_max;      /* bytes of one file */
	int64_t evidence_day_max, evidence_gateway_day_max; /* bytes of one person in a day */
	int64_t evidence_partials_max;
	int64_t evidence_total_max, evidence_free_min; /* bytes of the folder, and left on its disk */
	int64_t evidence_partial_keep_ms, evidence_unnamed_keep_ms;
	int64_t evidence_queue_max; /* chunks waiting for the folder's thread */

	char *redis;          /* "" none, "unix:/path" or address:port */
	char *redis_password; /* or "credential:NAME" */
	char *redis_secret;   /* the password itself, once config_read_secrets has been called */
	char *redis_reports, *redis_cameras, *redis_events, *redis_dead; /* streams */
	char *redis_cameras_gateway; /* identity that DeepStream's own messages speak for; "": they are refused */
	char *redis_group, *redis_consumer;
	int64_t redis_claim_idle_ms;
};

/* The table behind the file, ending in a NULL key. */
const struct setting *config_settings(void);

/* Fills c from the defaults, the file (NULL: none) and then the assignments ("key=value"). false when anything is wrong:
 * every mistake is a line in *p, and c is closed. */
_Bool config_load(struct config *c, const char *path, const char *const *assignments, size_t count,
                  struct problems *p) MUST_USE;
void config_close(struct config *c); /* safe twice */

/* What the daemon's settings take for granted of the policy. false: lines in *p. */
_Bool config_fits(const struct config *c, const struct policy *policy, struct problems *p) MUST_USE;

/* Reads what the service manager keeps for the keys that name a credential. false: lines in *p. */
_Bool config_read_secrets(struct config *c, struct problems *p) MUST_USE;

/* The i-th address of listen or listen_tls; false past the end. */
#define CONFIG_ADDRESSES_MOST 8 /* of each */
#define CONFIG_ADDRESS_SIZE 64
_Bool config_address(const char *addresses, size_t i, char out[CONFIG_ADDRESS_SIZE]);

#endif
