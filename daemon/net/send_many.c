#include "net/send_many.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/transport.h"

/* The C library has no names for these calls. */
struct send_many {
	aio_context_t context; /* 0: there is none */
	struct iocb blocks[SEND_MANY_MOST], *list[SEND_MANY_MOST];
	struct io_event events[SEND_MANY_MOST];
};

struct send_many *send_many_new(void)
{
	struct send_many *m = must_calloc(1, sizeof *m);

	if (syscall(SYS_io_setup, SEND_MANY_MOST, &m->context) != 0)
		m->context = 0;
	for (size_t i = 0; i < SEND_MANY_MOST; i++)
		m->list[i] = &m->blocks[i];
	return m;
}

void send_many_free(struct send_many *m)
{
	if (m != NULL && m->context != 0)
		(void)syscall(SYS_io_destroy, m->context);
	free(m);
}

static void fill(struct iocb *block, const struct send_one *one, size_t number)
{
	*block = (struct iocb){ .aio_data = number,
		                .aio_lio_opcode = IOCB_CMD_PWRITE,
		                .aio_fildes = (uint32_t)one->fd,
		                .aio_buf = (uint64_t)(uintptr_t)one->bytes,
		                .aio_nbytes = one->length };
}

static ssize_t result_of(int64_t n)
{
	if (n >= 0)
		return (ssize_t)n;
	return n == -EAGAIN || n == -EINTR ? TRANSPORT_WAIT : TRANSPORT_FAILED;
}

void send_many(struct send_many *m, struct send_one *ones, size_t count)
{
	long taken = 0, ended = 0;

	must(count <= SEND_MANY_MOST);
	for (size_t i = 0; i < count; i++) {
		fill(&m->blocks[i], &ones[i], i);
		ones[i].done = 0;
	}
	if (m->context != 0 && count > 0)
		taken = syscall(SYS_io_submit, m->context, (long)count, m->list);
	/* All that were taken have ended by now. */
	while (ended < taken) {
		long n = syscall(SYS_io_getevents, m->context, taken - ended, taken - ended, m->events, NULL);

		must(n > 0 || errno == EINTR);
		for (long i = 0; i < n; i++) {
			struct send_one *one = &ones[m->events[i].data];

			one->result = result_of(m->events[i].res);
			one->done = 1;
		}
		ended += n > 0 ? n : 0;
	}
}
