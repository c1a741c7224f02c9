"""Which jobs there are: the images of a BIDS data set, as `insitu bids` finds them, in batches."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Job:
    """A call of `insitu bids`: some participants, of one session or of all that are wanted."""

    name: str
    participants: tuple[str, ...]
    sessions: tuple[str, ...]
    images: tuple[Path, ...]

    def selection(self) -> str:
        """The options that select it."""
        chosen = f"--participant-label {' '.join(self.participants)}"
        return f"{chosen} --session-label {' '.join(self.sessions)}" if self.sessions else chosen


def labels(given: Iterable[str] | None, prefix: str) -> list[str]:
    """Labels without their prefix."""
    return [str(label).removeprefix(prefix) for label in given or ()]


def images(folder: Path, suffix: str) -> list[Path]:
    """The images of one session."""
    found = folder.glob(f"anat/sub-*_{suffix}.nii*")
    return sorted(path for path in found if path.name.endswith((f"_{suffix}.nii", f"_{suffix}.nii.gz")))


def of_participant(folder: Path, suffix: str, wanted: list[str]) -> list[Job]:
    """A job for each session of a participant; a single one where there are images beside the sessions."""
    label = folder.name.removeprefix("sub-")
    own = () if wanted else images(folder, suffix)
    sessions = {path.name.removeprefix("ses-"): images(path, suffix) for path in sorted(folder.glob("ses-*")) if path.is_dir()}
    sessions = {name: found for name, found in sessions.items() if found and (not wanted or name in wanted)}
    if own:
        return [Job(f"sub-{label}", (label,), (), tuple(own) + tuple(image for found in sessions.values() for image in found))]
    return [Job(f"sub-{label}_ses-{name}", (label,), (name,), tuple(found)) for name, found in sessions.items()]


def participants(root: Path, only: list[str], without: list[str]) -> list[Path]:
    """The folders of the participants that are wanted. Raises ValueError for one that is not there."""
    found = {path.name.removeprefix("sub-"): path for path in sorted(root.glob("sub-*")) if path.is_dir()}
    unknown = [label for label in only if label not in found]
    if unknown:
        raise ValueError(f"--participant-label: found {', '.join(unknown)}, expected some of {', '.join(found) or 'none'}")
    return [path for label, path in found.items() if (not only or label in only) and label not in without]


def jobs(config: dict) -> dict[str, Job]:
    """All jobs of a run, by name. Raises ValueError where there is nothing to do."""
    only, without = labels(config["participant_label"], "sub-"), labels(config["exclude_participant_label"], "sub-")
    wanted, suffix, size = labels(config["session_label"], "ses-"), config["suffix"], int(config["batch"])
    root = Path(config["bids_dir"])
    each = [of_participant(folder, suffix, wanted) for folder in participants(root, only, without)]
    each = [found for found in each if found]
    if not each:
        raise ValueError(f"{root}: found no image *_{suffix}.nii or .nii.gz, expected one of what was asked for")
    if size > 0:
        parts = [each[first : first + size] for first in range(0, len(each), size)]
        batches = (batch([job for found in part for job in found], wanted, number + 1) for number, part in enumerate(parts))
        return {job.name: job for job in batches}
    return {job.name: job for found in each for job in found}


def batch(parts: list[Job], wanted: list[str], number: int) -> Job:
    """Several participants in one job."""
    members = tuple(dict.fromkeys(label for part in parts for label in part.participants))
    return Job(f"batch-{number:04}", members, tuple(wanted), tuple(image for part in parts for image in part.images))
