/* systemd: what the service manager is told, and the sockets it may hand over. The protocol is one datagram and two
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
/* Listening sockets handed over: how many of them, at most `most`, are put into fds. */
size_t systemd_sockets(int *fds, size_t most);

#endif
