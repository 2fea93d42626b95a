/* doctor: what looks after a set-up, one finding at a time. Each check is a function of the table in verb_doctor.c; it adds
 * findings and repairs nothing. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "jurisdiction/config.h"
#include "jurisdiction/policy.h"
#include "store/checkup.h"

enum health { HEALTH_OK, HEALTH_WARNING, HEALTH_PROBLEM }; /* also the exit codes */

struct finding {
	enum health health;
	const char *area; /* "disk": static */
	char *found;      /* heap */
	char *todo;       /* heap; NULL: nothing */
};

struct doctor {
	struct config config;
	struct policy *policy; /* NULL: it cannot be loaded */
	struct checkup database;
	int64_t now_ms;
	struct finding *findings;
	size_t count;
};

void doctor_find(struct doctor *d, enum health health, const char *area, const char *todo, const char *format, ...)
	PRINTF_LIKE(5, 6);
/* Each line of the problems and of the warnings as a finding; how many there were. */
size_t doctor_find_all(struct doctor *d, const char *area, const char *todo, const struct problems *p);
/* Whether a daemon answers at this address, as a finding of this area. */
void doctor_ask(struct doctor *d, const char *area, const char *address, _Bool tls);
/* Whether the street's clock is the system's. */
_Bool doctor_system_clock(const struct doctor *d);
/* "1.5 GiB". */
#define DOCTOR_SIZE_TEXT 32
#define DOCTOR_ADDRESS_SIZE 160 /* "unix:" and the path of a socket, or an address */
const char *doctor_size(int64_t bytes, char out[DOCTOR_SIZE_TEXT]);

void doctor_clock(struct doctor *d);
void doctor_disk(struct doctor *d);
void doctor_permissions(struct doctor *d);
void doctor_database(struct doctor *d);
void doctor_certificates(struct doctor *d);
void doctor_redis(struct doctor *d);
void doctor_daemon(struct doctor *d);
void doctor_socket(struct doctor *d);
void doctor_administrator(struct doctor *d);

#endif
