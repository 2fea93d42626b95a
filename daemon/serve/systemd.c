#include "serve/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define FIRST_SOCKET 3 /* by the protocol */

static void notify(const char *message)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t length = path ? strlen(path) : 0;

	if (length < 2 || length >= sizeof to.sun_path)
		return;
	memcpy(to.sun_path, path, length);
	/* An @ stands for the NUL of the abstract name space. */
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);

	if (fd == -1 || sendto(fd, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *)&to, size) == -1)
		log_errno("notify-failed", "socket=%s", path);
	if (fd != -1)
		(void)close(fd);
}

void systemd_ready(const char *status)
{
	char message[256];

	(void)snprintf(message, sizeof message, "READY=1\nSTATUS=%s\n", status);
	notify(message);
}

/* The time tells the manager that this answers its latest wish and not an earlier one. */
void systemd_reloading(void)
{
	struct clock clock = clock_system();
	char message[64];

	(void)snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%lld\n",
	               (long long)clock.mono_us(clock.ctx));
	notify(message);
}

void systemd_stopping(void)
{
	notify("STOPPING=1\n");
}

void systemd_alive(void)
{
	notify("WATCHDOG=1\n");
}

static int64_t number_of(const char *variable)
{
	const char *text = getenv(variable);
	int64_t value = 0;

	return text && text_to_int(text, 0, INT64_MAX, &value) ? value : 0;
}

/* Both kinds of variable may be meant for another process: a parent's, inherited. */
static _Bool is_for_me(const char *variable)
{
	return number_of(variable) == getpid();
}

int64_t systemd_watchdog_ms(void)
{
	if (getenv("WATCHDOG_PID") && !is_for_me("WATCHDOG_PID"))
		return 0;
	return number_of("WATCHDOG_USEC") / 1000;
}

/* The i-th of the names, which stand between colons. */
static void name_of(const char *names, int64_t i, char out[SYSTEMD_NAME_SIZE])
{
	for (; names && i > 0; i--) {
		names = strchr(names, ':');
		names += names != NULL;
	}
	(void)snprintf(out, SYSTEMD_NAME_SIZE, "%.*s", names ? (int)strcspn(names, ":") : 7, names ? names : "unknown");
}

size_t systemd_sockets(struct systemd_socket *out, size_t most)
{
	int64_t count = is_for_me("LISTEN_PID") ? number_of("LISTEN_FDS") : 0;

	for (int64_t i = 0; i < count && i < (int64_t)most; i++) {
		out[i].fd = FIRST_SOCKET + (int)i;
		(void)fcntl(out[i].fd, F_SETFD, FD_CLOEXEC);
		name_of(getenv("LISTEN_FDNAMES"), i, out[i].name);
	}
	return (size_t)count;
}
