"""Figures of a study: the kind that fits what it varies, with the spread over seeds."""

from snstdp_cli.plots.studies.kinds import STUDY_KINDS, StudyKind, choose_kind, draw_study, kinds_of

__all__ = ["STUDY_KINDS", "StudyKind", "choose_kind", "draw_study", "kinds_of"]
