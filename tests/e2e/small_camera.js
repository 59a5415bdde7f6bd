// Runs in a page before anything else: its camera's pictures are small, for tests of many pages that are not about them.
(() => {
  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  devices.getUserMedia = ({ audio, video }) => open({ audio, video: video && { width: 640, height: 360, frameRate: 10 } });
})();
