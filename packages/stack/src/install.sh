#!/bin/sh
# The packages of the lockfile, from the registry or, without a network, from the caches of npm and pnpm. Run at the root.
set -u
pnpm=pnpm@10.33.0
export npm_config_update_notifier=false # the version of pnpm is ours to choose

if ! command -v npm > /dev/null; then
  echo 'npm is not on PATH: install Node 20 or later, which brings it (https://nodejs.org)' >&2
  exit 1
fi

# Without retries: offline, npm and pnpm would try for minutes. A registry that answers, be it with an error, is there.
cause=$(npm ping --fetch-retries=0 --fetch-timeout=10000 2>&1 | sed -n 's/^npm .* code \(E[A-Z_]*\)$/\1/p')
case $cause in
  ENOTFOUND | EAI_AGAIN | ECONNREFUSED | ECONNRESET | ENETUNREACH | EHOSTUNREACH | ETIMEDOUT | FETCH_ERROR)
    if npx --yes --offline $pnpm install --frozen-lockfile --offline > /dev/null 2>&1; then exit 0; fi
    echo "no network: $(npm config get registry) cannot be reached ($cause), and the caches do not have all packages" >&2
    exit 1 ;;
esac

# Warnings that are expected are explained before they come.
cat << 'END'
Installing the packages: some minutes the first time. Two warnings of the package that brings Node 24 are expected:
  "Failed to create bin ... node"    its install script puts the program there a moment later
  "Unknown env config"               that script runs npm, which does not know the settings that pnpm passes on
END
exec npx --yes $pnpm install --frozen-lockfile
