// Runs in a page before anything else: its camera's pictures are small and its microphone's sound is sent as it is, for
// tests of many pages that are not about them.
(() => {
  const devices = navigator.mediaDevices;
  const open = devices.getUserMedia.bind(devices);
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const small = { width: 320, height: 180, frameRate: 8 };
  devices.getUserMedia = ({ audio, video }) => open({ audio: audio && plain, video: video && small });
})();
