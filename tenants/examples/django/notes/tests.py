import hashlib
import tempfile

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase, override_settings
from django.urls import reverse

from notes.models import Attachment, Note


class NotesTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ann = User.objects.create_user("ann", password="correct horse")
        cls.bob = User.objects.create_user("bob")
        cls.note = Note.objects.create(author=cls.ann, title="Tea & cake")

    def test_list_escapes_titles(self):
        response = self.client.get(reverse("notes:list"))
        self.assertContains(response, "Tea &amp; cake</a> by ann")

    def test_login_with_password(self):
        form = {"username": "ann", "password": "correct horse"}
        response = self.client.post(reverse("login"), form)
        self.assertRedirects(response, "/")

    def test_wrong_password_is_refused(self):
        form = {"username": "ann", "password": "wrong"}
        response = self.client.post(reverse("login"), form)
        self.assertContains(response, "Please enter a correct username")

    def test_writing_needs_a_login(self):
        response = self.client.get(reverse("notes:create"))
        self.assertRedirects(response, "/accounts/login/?next=/notes/new/")

    def test_author_is_the_user(self):
        self.client.force_login(self.bob)
        self.client.post(reverse("notes:create"), {"title": "Mine"})
        self.assertEqual(Note.objects.get(title="Mine").author, self.bob)

    def test_others_cannot_edit_or_delete(self):
        self.client.force_login(self.bob)
        for name in ("notes:edit", "notes:delete"):
            response = self.client.post(reverse(name, args=[self.note.pk]))
            self.assertEqual(response.status_code, 404)

    def test_export_streams_csv(self):
        response = self.client.get(reverse("notes:export"))
        expected = f"{self.note.pk},ann,Tea & cake,\r\n"
        self.assertEqual(response.getvalue().decode(), expected)


class AttachmentTest(TestCase):
    def setUp(self):
        media = tempfile.TemporaryDirectory()
        self.addCleanup(media.cleanup)
        self.enterContext(override_settings(MEDIA_ROOT=media.name))
        self.ann = User.objects.create_user("ann")
        self.note = Note.objects.create(author=self.ann, title="Tea")
        self.url = reverse("notes:attach", args=[self.note.pk])

    def upload(self):
        file = SimpleUploadedFile("hello.txt", b"hello\n")
        return self.client.post(self.url, {"file": file})

    def test_upload_and_download(self):
        self.client.force_login(self.ann)
        self.assertRedirects(self.upload(), self.note.get_absolute_url())
        attachment = Attachment.objects.get()
        self.assertEqual(attachment.sha256, hashlib.sha256(b"hello\n").hexdigest())
        response = self.client.get(reverse("notes:download", args=[attachment.pk]))
        self.assertEqual(response.getvalue(), b"hello\n")

    def test_others_cannot_attach(self):
        self.client.force_login(User.objects.create_user("bob"))
        self.assertEqual(self.upload().status_code, 404)
        self.assertFalse(Attachment.objects.exists())
