package abi

// FilesModule is the import module for what wasi_snapshot_preview1 lacks of
// POSIX. Its functions take that module's descriptors, paths and lookup flags,
// and return its error numbers, zero or more, not an [Errno]; 52 (ENOSYS) is the
// answer of a host that has none of it.
//
//	fd_dup(fd i32, least i32, result ptr) i32
//	    A second number, the lowest from least on that is free, for what fd
//	    stands for: position, flags and locks are shared until the last of its
//	    numbers is closed. result gets the number, an i32. Stdio and mounts can
//	    be duplicated too. EMFILE at the cap that holds for path_open.
//
//	fd_dup2(fd i32, to i32) i32
//	    The same for a given number, of which whatever it stood for is closed.
//	    Stdio may be replaced, until the guest is reset; mounts may not
//	    (ENOTSUP). EBADF for numbers above the cap.
//
//	create_mode(mode i32) i32
//	    The permission bits, umask applied, of what the next path_open or
//	    path_create_directory makes; that call forgets them, whatever becomes of
//	    it. Without it files are made with 0600, directories with 0700.
//
//	fd_chmod(fd i32, mode i32) i32
//	path_chmod(fd i32, lookup i32, path ptr, len i32, mode i32) i32
//	    Sets the permission bits; others are left out. EROFS on what is mounted
//	    read-only, ENOTSUP for a link itself. In a directory of the host a
//	    directory keeps 0500, so that the host can walk it.
//
//	fd_lock(fd i32, operation i32, kind i32, start i64, length i64, found ptr) i32
//	    Locks of byte ranges, as fcntl(2) has them: they belong to the instance
//	    and the file, not to the number; they end with the first number of the
//	    file that is closed, and with the instance. length 0 is up to the end.
//	    LockTry answers EAGAIN when somebody else's is in the way, LockWait
//	    waits for it no longer than the request lasts, LockTest writes to found
//	    what is in the way: kind i32 (LockNone for nothing), 4 bytes of zero,
//	    start i64, length i64. A shared lock needs a file that is open for
//	    reading, an exclusive one for writing (EBADF). ENOLCK above MaxLocks.
//	    For example fd 9, LockTry, LockExclusive, start 10, length 2: bytes 10
//	    and 11.
//
//	fd_flock(fd i32, operation i32) i32
//	    A lock of a whole file, as flock(2) has it: it belongs to what fd stands
//	    for. operation is FlockShared, FlockExclusive or FlockNone, and
//	    FlockTry besides to get EAGAIN instead of waiting.
//
// A filestat of wasi_snapshot_preview1 carries the permission bits in what is
// padding there: an u16 at FileModeOffset, with FileModeKnown set.
const FilesModule = "wasgi_files"

// Names of its functions.
const (
	FilesDup        = "fd_dup"
	FilesDup2       = "fd_dup2"
	FilesCreateMode = "create_mode"
	FilesFdChmod    = "fd_chmod"
	FilesPathChmod  = "path_chmod"
	FilesLock       = "fd_lock"
	FilesFlock      = "fd_flock"
)

// Where a filestat has the permission bits, in bytes from its start, and the bit
// that says that it has them.
const (
	FileModeOffset = 18
	FileModeKnown  = 1 << 15
	// FileModeMounted is set for a file in a read-only mount: access(2) says EROFS.
	FileModeMounted = 1 << 14
)

// Operations of fd_lock.
const (
	LockTest = 0
	LockTry  = 1
	LockWait = 2
)

// Kinds of locks of fd_lock, with the numbers of fcntl.h.
const (
	LockShared    = 0
	LockExclusive = 1
	LockNone      = 2
)

// Operations of fd_flock, with the numbers of sys/file.h.
const (
	FlockShared    = 1
	FlockExclusive = 2
	FlockTry       = 4
	FlockNone      = 8
)

// MaxLocks is how many ranges of bytes an instance may hold locked.
const MaxLocks = 64

// The user of the guest, to whom every file belongs, and its group of the same
// number and name.
const (
	UserID   = 1000
	UserName = "wasgi"
)

// filesNumbers and filesStrings are what the C header gets of this file.
func filesNumbers() []headerNumber {
	return []headerNumber{
		{"FILE_MODE_OFFSET", FileModeOffset},
		{"FILE_MODE_KNOWN", FileModeKnown},
		{"FILE_MODE_MOUNTED", FileModeMounted},
		{"LOCK_TEST", LockTest},
		{"LOCK_TRY", LockTry},
		{"LOCK_WAIT", LockWait},
		{"USER_ID", UserID},
	}
}

func filesStrings() [][2]string {
	return [][2]string{
		{"FILES_MODULE", FilesModule},
		{"FILES_DUP", FilesDup},
		{"FILES_DUP2", FilesDup2},
		{"FILES_CREATE_MODE", FilesCreateMode},
		{"FILES_FD_CHMOD", FilesFdChmod},
		{"FILES_PATH_CHMOD", FilesPathChmod},
		{"FILES_LOCK", FilesLock},
		{"FILES_FLOCK", FilesFlock},
		{"USER_NAME", UserName},
	}
}
