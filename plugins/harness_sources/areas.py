"""What the packages of the standard library are about, coarsely."""

from __future__ import annotations

_AREAS = {
    "async": "asyncio concurrent multiprocessing queue sched selectors asyncore asynchat "
    "threading _threading_local subprocess signal socketserver",
    "data": "array bisect collections copy copyreg dataclasses datetime _pydatetime enum heapq "
    "numbers decimal _pydecimal fractions statistics random types weakref _weakrefset calendar "
    "zoneinfo abc _py_abc _collections_abc functools operator contextlib ipaddress uuid graphlib "
    "reprlib pprint colorsys",
    "files": "configparser csv dbm fileinput filecmp fnmatch glob gzip bz2 lzma zipfile tarfile "
    "zipimport zipapp io json marshal netrc plistlib shelve pickle pickletools sqlite3 tomllib "
    "tempfile shutil pathlib linecache aifc wave chunk sunau sndhdr imghdr uu xdrlib mailcap "
    "_compression",
    "language": "ast bdb cProfile profile pstats code codeop compileall dis doctest inspect "
    "importlib imp keyword lib2to3 modulefinder pdb pkgutil py_compile pyclbr pydoc runpy "
    "rlcompleter symtable tabnanny timeit token tokenize trace traceback tracemalloc unittest "
    "typing opcode cgitb warnings distutils ensurepip venv",
    "net": "cgi email ftplib http imaplib mailbox mimetypes nntplib poplib quopri smtpd smtplib "
    "socket ssl telnetlib urllib webbrowser wsgiref xmlrpc base64 hmac hashlib secrets",
    "system": "os posixpath ntpath genericpath stat sys sysconfig _sysconfigdata site platform "
    "getpass getopt argparse optparse logging locale pipes pty tty ctypes atexit crypt "
    "_osx_support _aix_support _bootsubprocess nturl2path",
    "text": "codecs difflib gettext html re sre_compile sre_parse string stringprep textwrap "
    "shlex xml _markupbase _strptime",
    "windows": "curses cmd idlelib readline tkinter turtle",
}
_AREA_OF = {package: area for area, names in _AREAS.items() for package in names.split()}


def area(package: str) -> str:
    """The area of a package of the standard library; ``other`` for any other."""
    return _AREA_OF.get(package, "other")
