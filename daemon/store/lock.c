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

/* "4: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF", with POSIX for SQLite's own. The device is not compared: layered file
 * systems give stat another one. */
static _Bool is_lock_on(const char *line, const char *kind, unsigned long long inode, int *pid)
{
	unsigned long long number;
	char found[8];

	return sscanf(line, "%*s %7s ADVISORY WRITE %d %*x:%*x:%llu", found, pid, &number) == 3 &&
	       strcmp(found, kind) == 0 && number == inode;
}

/* A process other than this one, or any, that has a lock for writing on the file. */
static pid_t holder(const char *path, const char *ending, const char *kind, pid_t not_this)
{
	char *name = NULL, line[256];
	struct stat about;
	int pid = 0, found = 0;

	must(asprintf(&name, "%s%s", path, ending) >= 0);
	FILE *locks = stat(name, &about) == 0 ? fopen("/proc/locks", "re") : NULL;

	free(name);
	if (!locks)
		return 0;
	while (!found && fgets(line, sizeof line, locks))
		found = is_lock_on(line, kind, (unsigned long long)about.st_ino, &pid) && pid != not_this;
	(void)fclose(locks);
	return found ? pid : 0;
}

pid_t store_lock_holder(const char *path)
{
	return holder(path, LOCK_ENDING, "FLOCK", 0);
}

pid_t store_intruder(const char *path)
{
	pid_t log = holder(path, "-shm", "POSIX", getpid());

	return log != 0 ? log : holder(path, "", "POSIX", getpid());
}
