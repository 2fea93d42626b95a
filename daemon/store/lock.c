#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_ENDING ".lock"

int store_lock(const char *path, char **cause)
{
	char *name = NULL;
	int fd;

	must(asprintf(&name, "%s" LOCK_ENDING, path) >= 0);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
		free(name);
		return fd;
	}
	if (fd >= 0 && errno == EWOULDBLOCK)
		must(asprintf(cause, "%s: in use by another process (%s is locked)", path, name) >= 0);
	else
		must(asprintf(cause, "%s: %s", name, strerror(errno)) >= 0);
	if (fd >= 0)
		(void)close(fd);
	free(name);
	return -1;
}

/* "4: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF". The device is not compared: layered file systems give stat
 * another one. */
static _Bool is_lock_on(const char *line, unsigned long long inode, int *pid)
{
	unsigned long long number;

	return sscanf(line, "%*s FLOCK ADVISORY WRITE %d %*x:%*x:%llu", pid, &number) == 2 && number == inode;
}

pid_t store_lock_holder(const char *path)
{
	char *name = NULL, line[256];
	struct stat about;
	int pid = 0, found = 0;

	must(asprintf(&name, "%s" LOCK_ENDING, path) >= 0);
	FILE *locks = stat(name, &about) == 0 ? fopen("/proc/locks", "re") : NULL;

	free(name);
	if (!locks)
		return 0;
	while (!found && fgets(line, sizeof line, locks))
		found = is_lock_on(line, (unsigned long long)about.st_ino, &pid);
	(void)fclose(locks);
	return found ? pid : 0;
}
