"""A scratch PostgreSQL cluster below build/, its databases, and connections to them."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row

from .processes import Process, as_server_user, free_ports, give_to_server_user
from .waiting import wait_until

PG_CONFIG = os.environ.get("PG_CONFIG", "/usr/lib/postgresql/15/bin/pg_config")

SETTINGS = {
    "wal_level": "logical",
    "max_connections": "200",
    "max_wal_senders": "20",
    "max_replication_slots": "40",
    "listen_addresses": "127.0.0.1",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_min_messages": "warning",
}

# The roles of a shop, each with what the extension grants to its kind; see grant_app() and its like.
ROLES = {"shop_app": "LOGIN", "shop_relay": "LOGIN REPLICATION", "shop_admin": "LOGIN"}


def bindir():
    return pathlib.Path(subprocess.run([PG_CONFIG, "--bindir"], check=True, capture_output=True, text=True).stdout.strip())


class Cluster:
    """One cluster.  Superuser `postgres`; local connections are trusted (the socket is the server
    user's and root's alone), those by TCP need a password."""

    def __init__(self, directory, settings=None):
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.log = self.directory / "postgres.log"
        self._settings = {**SETTINGS, **(settings or {})}
        self._server = None
        self.starts = 0
        self.port = free_ports()[0]
        # A socket's path may have 107 bytes.
        if len(str(self.directory)) < 80:
            self.socket_directory = self.directory
            self._owns_sockets = False
        else:
            self._owns_sockets = True
            self.socket_directory = pathlib.Path(tempfile.mkdtemp(prefix="holdfast-"))
            give_to_server_user(self.socket_directory)

    def create(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        give_to_server_user(self.directory)
        made = subprocess.run(
            [*as_server_user(), bindir() / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
             "--locale=C.UTF-8", "--no-sync", "--no-instructions"], capture_output=True, text=True, cwd="/")
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed: {made.stderr.strip()}")
        with (self.data / "postgresql.conf").open("a") as conf:
            for name, value in {**self._settings, "port": str(self.port),
                                "unix_socket_directories": str(self.socket_directory)}.items():
                conf.write(f"{name} = '{value}'\n")
        (self.data / "pg_hba.conf").write_text(
            "local all all trust\n"
            "local replication all trust\n"
            "host all all 127.0.0.1/32 scram-sha-256\n"
            "host replication all 127.0.0.1/32 scram-sha-256\n")
        return self

    def start(self):
        self.starts += 1
        self._server = Process([*as_server_user(), bindir() / "postgres", "-D", self.data], self.log,
                               parent_death_signal="QUIT", cwd="/")

        def answers():
            if not self._server.running():
                raise RuntimeError(f"PostgreSQL did not start:\n{self._server.tail()}")
            try:
                self.connect("postgres").close()
                return True
            except psycopg.OperationalError:
                return False
        wait_until(answers, "PostgreSQL answers", 60)
        return self

    def stop(self, mode="fast"):
        """`fast` disconnects everybody and checkpoints; `immediate` is a crash with recovery."""
        if self._server is None:
            return
        if self._server.running():
            self._server.signal({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])
            self._server.wait(60)
        self._server = None

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def owns(self, pid):
        """A process of that id is a backend of this server."""
        try:
            parent = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1]
        except FileNotFoundError:
            return False
        return int(parent) == self._server.pid

    def answer_at(self, other):
        """From the next start on, use the port and the socket of another cluster, which is stopped."""
        self.port, self.socket_directory = other.port, other.socket_directory
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(f"port = {self.port}\nunix_socket_directories = '{self.socket_directory}'\n")
        self._owns_sockets = False

    def remove(self):
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)
        if self._owns_sockets:
            shutil.rmtree(self.socket_directory, ignore_errors=True)

    def dsn(self, database, user="postgres", **more):
        return " ".join(f"{k}={v}" for k, v in dict(
            host=self.socket_directory, port=self.port, dbname=database, user=user, **more).items())

    def connect(self, database, user="postgres", autocommit=True, **more):
        return psycopg.connect(self.dsn(database, user, **more), autocommit=autocommit, row_factory=namedtuple_row,
                               connect_timeout=10)

    def admin(self, statement, *args):
        """Run one statement in the database `postgres`; its rows, if it has any."""
        with self.connect("postgres") as connection:
            cursor = connection.execute(statement, args or None)
            return cursor.fetchall() if cursor.description else None

    def set(self, **settings):
        """ALTER SYSTEM and reload; None resets."""
        for name, value in settings.items():
            if value is None:
                self.admin(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(name)))
            else:
                self.admin(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(str(value))))
        self.admin("SELECT pg_reload_conf()")

    def create_database(self, name, template=None):
        self.admin(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template or "template0")))

    def create_template(self, name):
        """A database with the extension and the shop's roles, to be copied for each test."""
        for role, attributes in ROLES.items():
            self.admin(f"CREATE ROLE {role} {attributes}")
        self.create_database(name)
        with self.connect(name) as connection:
            connection.execute("CREATE EXTENSION holdfast")
            connection.execute("SELECT holdfast.grant_app('shop_app')")
            connection.execute("SELECT holdfast.grant_relay('shop_relay')")
            connection.execute("SELECT holdfast.grant_admin('shop_admin')")

    def allow_output_plugin(self, *roles):
        """As grant_relay() does it for the relay's role, where the minor release has the setting."""
        if self.admin("SELECT current_setting('output_plugin_libraries', true) AS plugins")[0].plugins is not None:
            for role in roles:
                self.admin(sql.SQL("ALTER ROLE {} SET output_plugin_libraries = pgoutput, holdfast").format(sql.Identifier(role)))

    def slot(self, name):
        """The row of pg_replication_slots, or None."""
        rows = self.admin("SELECT *, pg_current_wal_lsn() AS now_lsn FROM pg_replication_slots WHERE slot_name = %s", name)
        return rows[0] if rows else None

    def drop_slot(self, name):
        """Drop a slot, if it is there, ending the walsender that uses it."""
        def dropped():
            slot = self.slot(name)
            if slot is None:
                return True
            try:
                if slot.active_pid is not None:
                    self.admin("SELECT pg_terminate_backend(%s)", slot.active_pid)
                self.admin("SELECT pg_drop_replication_slot(%s)", name)
            except psycopg.errors.ObjectInUse:
                return False
            except psycopg.errors.UndefinedObject:
                return True
            return True
        wait_until(dropped, f"slot {name} can be dropped", 10)

    def drop_database(self, name):
        self.admin(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
