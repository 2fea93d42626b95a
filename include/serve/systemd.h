/* systemd: what the service manager is told, and the sockets it may hand over. The protocol is one datagram and a few
 * variables, so no library is linked for it. Without a manager every call does nothing. */
#ifndef SERVE_SYSTEMD_H
#define SERVE_SYSTEMD_H

#include <stddef.h>
#include <stdint.h>

void systemd_ready(const char *status); /* READY=1 with a line for people */
void systemd_reloading(void);           /* systemd_ready ends it */
void systemd_stopping(void);
void systemd_alive(void); /* for the watchdog */
/* How often it wants to hear that; 0: there is no watchdog. */
int64_t systemd_watchdog_ms(void);

#define SYSTEMD_NAME_SIZE 64
struct systemd_socket {
	int fd;                       /* close-on-exec from here on */
	char name[SYSTEMD_NAME_SIZE]; /* FileDescriptorName= of the socket unit; "unknown" when none came with it */
};
/* The sockets handed over: how many there are, of which the first `most` are put into out. */
size_t systemd_sockets(struct systemd_socket *out, size_t most);

#endif
