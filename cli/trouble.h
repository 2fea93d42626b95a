/* trouble: why something could not be done, for people and for the exit code. */
#ifndef CLI_TROUBLE_H
#define CLI_TROUBLE_H

#include <stdint.h>
#include <stdio.h>

#include "wire.h"

enum exit_code { EXIT_OK = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_LOST = 3 };

struct trouble {
	enum exit_code exit; /* EXIT_OK: there is none */
	int code;            /* the daemon's, of enum Code; 0: our own */
	char rule[64];
	char sentence[512];
	int64_t retry_after_ms;
};

/* Fills *why and returns false. */
_Bool trouble_set(struct trouble *why, enum exit_code code, const char *format, ...) PRINTF_LIKE(3, 4);
void trouble_from_refusal(struct trouble *why, const wire_refusal *r);
/* Whether the daemon asks for the same again later. */
_Bool trouble_passes(const struct trouble *why);
/* Sentence, rule and what to do next on stderr; with json also one object on stdout. */
void trouble_print(const struct trouble *why, _Bool json);

#endif
