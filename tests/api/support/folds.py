"""The folds of texts that a database stores."""
from backends import rows

# Case folding decomposes these letters, but not their capitals.
GREEK = "\u0390\u03b0\u1fb7\u1fc7\u1fd2\u1fd3\u1fd7\u1fe2\u1fe3\u1fe7\u1ff7"


def folds(place):
    return [rows(place, f"SELECT {columns} FROM {table} ORDER BY id") for table, columns in (
        ("task", "title_folded"), ("calendar", "name_folded"), ("subject", "name_folded"),
        ("staff", "username_key, username_exact, username_skeleton"))]
