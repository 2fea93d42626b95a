#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "fuzz.h"

void fuzz_begin(char folder[128])
{
	const char *where = getenv("TMPDIR");

	must(setenv("TZ", "Asia/Shanghai", 1) == 0);
	tzset();
	log_set_level(LOG_LEVEL_ERROR - 1);
	snprintf(folder, 128, "%s/gridloop-fuzz-XXXXXX", where ? where : "/dev/shm");
	must(mkdtemp(folder) != NULL);
}

uint8_t *fuzz_copy(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	must(copy != NULL);
	memcpy(copy, bytes, length);
	return copy;
}
