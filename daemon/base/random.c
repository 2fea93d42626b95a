#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/must.h"

void random_fill(void *out, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t got = getrandom((char *)out + done, length - done, 0);

		must(got > 0 || (got == -1 && errno == EINTR));
		done += got > 0 ? (size_t)got : 0;
	}
}
