"""Everything that is stored about an account, as one document: one function a section."""

from resolvers.account_export.document import SECTIONS, AccountDataExport, Section, export_account_data

__all__ = ["SECTIONS", "AccountDataExport", "Section", "export_account_data"]
