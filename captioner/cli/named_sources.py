"""Sources of `caption`: paths on the command line, standard input, addresses."""

from collections.abc import Callable, Iterable, Iterator

from captioner.media.fetching import Remote, is_address
from captioner.media.standard_input import PATH, StandardInput
from captioner.media.video_range import VideoRange, WholeVideo
from captioner.reports.report import Report

# A path, the image on standard input, a file on a server, or a video by parts or as a whole.
Named = str | bytes | Remote | VideoRange | WholeVideo


def list_paths(paths: Iterable[str], stdin: StandardInput) -> Iterator[str]:
    """Yield the paths of a command line; replace `-` by the paths on standard input."""
    for path in paths:
        if path == PATH:
            yield from stdin.paths()
        else:
            yield path


def leave_described(
    paths: Iterable[str], report: Report, skipped: Callable[[str], object]
) -> Iterator[str]:
    """Yield the paths that a report does not have yet; call `skipped` with each of the others."""
    for path in paths:
        if path != PATH and report.skip(path):
            skipped(path)
        else:
            yield path


def source_finder(stdin: StandardInput, fetch: bool, allow_private: bool) -> Callable[[str], Named]:
    """Return a function from paths to sources.

    Args:
        stdin: Standard input, with the image for `-`.
        fetch: If True, addresses are fetched.
        allow_private: If True, also from this machine and local networks.
    """

    def find(path: str) -> Named:
        return Remote(path, allow_private) if fetch and is_address(path) else stdin.source(path)

    return find


def path_of(source: Named) -> str:
    """Return the path that names a source."""
    if isinstance(source, bytes):
        return PATH
    if isinstance(source, VideoRange | WholeVideo):
        source = source.video
    return source.url if isinstance(source, Remote) else str(source)
