/* Put before the C library in the daemon under test: while /run/rig/disk-hangs is there, no sync comes back, as with a
 * disk that has stopped answering. */
#include <dlfcn.h>
#include <unistd.h>

#define LOOK_US 10000

int fdatasync(int fd)
{
	int (*real)(int fd) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

	while (access("/run/rig/disk-hangs", F_OK) == 0)
		(void)usleep(LOOK_US);
	return real(fd);
}

int fsync(int fd)
{
	return fdatasync(fd);
}
