/* SPDX-License-Identifier: MIT */
/* Which system calls docket and its libraries make: libc, SQLite, libpq, libcurl, GnuTLS,
 * libmicrohttpd. The other names of a call are those of other architectures. */
#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "confine_private.h"

/* clang-format off */
const char *const calls_allowed[] = {
	/* Open files. */
	"close", "close_range", "copy_file_range", "dup", "dup2", "dup3", "fadvise64", "fadvise64_64",
	"arm_fadvise64_64", "fallocate", "fcntl", "fcntl64", "fdatasync", "flock", "fsync", "ftruncate",
	"ftruncate64", "lseek", "_llseek", "pread64", "preadv", "preadv2", "pwrite64", "pwritev", "pwritev2",
	"read", "readahead", "readv", "sendfile", "sendfile64", "splice", "sync_file_range", "sync_file_range2",
	"syncfs", "write", "writev",
	/* Names of files. */
	"access", "chmod", "chown", "chown32", "creat", "faccessat", "faccessat2", "fchmod", "fchmodat", "fchmodat2",
	"fchown", "fchown32", "fchownat", "getcwd", "getdents", "getdents64", "lchown", "lchown32", "link", "linkat",
	"mkdir", "mkdirat", "open", "openat", "openat2", "readlink", "readlinkat", "rename", "renameat", "renameat2",
	"rmdir", "truncate", "truncate64", "umask", "unlink", "unlinkat", "utimensat", "utimensat_time64",
	/* What there is about files. */
	"fstat", "fstat64", "fstatat64", "fstatfs", "fstatfs64", "lstat", "lstat64", "newfstatat", "stat", "stat64",
	"statfs", "statfs64", "statx",
	/* Memory. */
	"brk", "madvise", "map_shadow_stack", "membarrier", "mincore", "mlock", "mlock2", "mmap", "mmap2", "mprotect",
	"mremap", "msync", "munlock", "munmap",
	/* Threads, and the end. clone3 is missing: its flags are in memory, where a filter cannot see them. */
	"arch_prctl", "exit", "exit_group", "futex", "futex_time64", "futex_waitv", "get_robust_list",
	"get_thread_area", "prctl", "restart_syscall", "rseq", "set_robust_list", "set_thread_area",
	"set_tid_address", "set_tls",
	/* The process and the machine. */
	"getcpu", "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32",
	"getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid", "getresgid32",
	"getresuid", "getresuid32", "getrlimit", "getrusage", "getsid", "gettid", "getuid", "getuid32", "ioprio_get",
	"ioprio_set", "prlimit64", "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity",
	"sched_getattr", "sched_getparam", "sched_getscheduler", "sched_setaffinity", "sched_yield", "setpriority",
	"setrlimit", "sysinfo", "ugetrlimit", "uname",
	/* Time. */
	"clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64", "clock_nanosleep",
	"clock_nanosleep_time64", "gettimeofday", "nanosleep", "time", "timerfd_create", "timerfd_gettime",
	"timerfd_gettime64", "timerfd_settime", "timerfd_settime64", "times",
	/* Signals. */
	"kill", "pause", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigsuspend",
	"rt_sigtimedwait", "rt_sigtimedwait_time64", "sigaction", "sigaltstack", "signal", "sigprocmask",
	"sigreturn", "tgkill", "tkill",
	/* Waiting. */
	"_newselect", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait",
	"eventfd", "eventfd2", "pipe", "pipe2", "poll", "ppoll", "ppoll_time64", "pselect6", "pselect6_time64",
	"select", "signalfd", "signalfd4",
	/* Sockets. */
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recv",
	"recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "send", "sendmmsg", "sendmsg", "sendto", "setsockopt",
	"shutdown",
	NULL,
};

const char *const calls_refused[] = {
	/* Other programs and processes. */
	"execve", "execveat", "fork", "kcmp", "pidfd_getfd", "process_madvise", "process_vm_readv",
	"process_vm_writev", "ptrace", "vfork",
	/* Filesystems. */
	"chroot", "fsconfig", "fsmount", "fsopen", "fspick", "mknod", "mknodat", "mount", "mount_setattr",
	"move_mount", "name_to_handle_at", "open_by_handle_at", "open_tree", "pivot_root", "quotactl",
	"quotactl_fd", "swapoff", "swapon", "umount", "umount2",
	/* Privileges. */
	"capset", "setfsgid", "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32", "setgroups",
	"setgroups32", "setns", "setregid", "setregid32", "setresgid", "setresgid32", "setresuid", "setresuid32",
	"setreuid", "setreuid32", "setuid", "setuid32", "unshare",
	/* The machine. */
	"acct", "adjtimex", "bpf", "clock_adjtime", "clock_adjtime64", "clock_settime", "clock_settime64",
	"delete_module", "finit_module", "init_module", "ioperm", "iopl", "kexec_file_load", "kexec_load",
	"perf_event_open", "personality", "reboot", "setdomainname", "sethostname", "settimeofday", "syslog",
	"userfaultfd",
	/* Keys of the kernel. */
	"add_key", "keyctl", "request_key",
	NULL,
};

/* s390 has the stack first. */
#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif
#define IS_THREAD SCMP_CMP_MASKED_EQ, CLONE_THREAD
#define SOCKET(op, family, error) {"socket", {0, SCMP_CMP_##op, (family)}, (error)}
#define CONTROL(request) {"ioctl", {1, SCMP_CMP_MASKED_EQ, 0xffffffff, (request)}, 0}

const struct call_rule call_rules[] = {
	{"clone", {CLONE_FLAGS, IS_THREAD, CLONE_THREAD}, 0},
	{"clone", {CLONE_FLAGS, IS_THREAD, 0}, EPERM}, /* a process */
	/* The families are in the order of their numbers; most others come after AF_INET6. */
	SOCKET(EQ, AF_UNSPEC, EAFNOSUPPORT),
	SOCKET(EQ, AF_UNIX, 0),
	SOCKET(EQ, AF_INET, 0),
	SOCKET(EQ, AF_AX25, EAFNOSUPPORT),
	SOCKET(EQ, AF_IPX, EAFNOSUPPORT),
	SOCKET(EQ, AF_APPLETALK, EAFNOSUPPORT),
	SOCKET(EQ, AF_NETROM, EAFNOSUPPORT),
	SOCKET(EQ, AF_BRIDGE, EAFNOSUPPORT),
	SOCKET(EQ, AF_ATMPVC, EAFNOSUPPORT),
	SOCKET(EQ, AF_X25, EAFNOSUPPORT),
	SOCKET(EQ, AF_INET6, 0),
	SOCKET(GT, AF_INET6, EAFNOSUPPORT),
	{"socketpair", {0, SCMP_CMP_EQ, AF_UNIX}, 0},
	/* Whether a file is a terminal, and how wide; what a socket has; the number of an interface, which is the
	 * zone of an address. */
	CONTROL(FIOCLEX),
	CONTROL(FIONBIO),
	CONTROL(FIONREAD),
	CONTROL(SIOCGIFINDEX),
	CONTROL(SIOCGIFNAME),
	CONTROL(TCGETS),
	CONTROL(TIOCGWINSZ),
	{NULL, {0, SCMP_CMP_EQ, 0}, 0},
};
/* clang-format on */
