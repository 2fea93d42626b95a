#include "net/transport.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t result_of(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? TRANSPORT_WAIT : TRANSPORT_FAILED;
}

static ssize_t plain_read(void *state, int fd, void *bytes, size_t room)
{
	(void)state;
	return result_of(recv(fd, bytes, room, 0));
}

static ssize_t plain_write(void *state, int fd, const void *bytes, size_t length)
{
	(void)state;
	return result_of(send(fd, bytes, length, MSG_NOSIGNAL));
}

static void plain_finish(void *state, int fd)
{
	(void)state;
	(void)shutdown(fd, SHUT_WR);
}

static void plain_close(void *state, int fd)
{
	(void)state;
	(void)close(fd);
}

const struct transport transport_plain = { plain_read, plain_write, plain_finish, plain_close };
