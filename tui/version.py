"""The version of Gatekey. The build reads it from here, so that no start has to search for the installed metadata."""

VERSION = "0.2.0"
