"""The version of libmicrohttpd: 0.9.75 on Debian 12, 1.0.1 on Debian 13."""
import ctypes


def version():
    library = ctypes.CDLL("libmicrohttpd.so.12")
    library.MHD_get_version.restype = ctypes.c_char_p
    return tuple(int(part) for part in library.MHD_get_version().decode().split("."))


# The old version leaves malformed heads to docket's framing guard; the new one refuses most of them itself.
OLD = version() < (0, 9, 77)
